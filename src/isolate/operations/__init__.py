"""What commands share: inspect an application, plan a transaction, fetch, apply, recover."""

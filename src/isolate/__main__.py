"""`python -m isolate`."""

from isolate.fastpath import main

if __name__ == "__main__":
    main()

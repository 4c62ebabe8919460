"""Run isolate as `python -m isolate`."""

from isolate.fast_path import main

if __name__ == "__main__":
    main()

"""``python -m hsiaug``: the same as the command ``hsiaug``."""

from hsiaug.cli.main import main

if __name__ == "__main__":
    main()

"""The command ``hsiaug``, and ``python -m hsiaug``."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C while its libraries are loaded ends it as quietly as later."""
    try:
        from hsiaug.cli.own_process import run_command

        run_command()
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        sys.exit(130)


if __name__ == "__main__":
    main()

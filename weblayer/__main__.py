"""`python -m weblayer`: the program, without its script."""

from weblayer.commands.main import main

if __name__ == "__main__":
    main()

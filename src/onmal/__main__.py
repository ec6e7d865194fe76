"""python -m onmal is the command `onmal`."""

from onmal.cli import main

if __name__ == "__main__":
    main()

"""Between onmal's model folders and other engines': one file for each."""

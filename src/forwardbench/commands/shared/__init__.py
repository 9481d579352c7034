"""What several commands share; the commands are the files beside this folder."""

"""What a process exits with: keepalived's numbers."""

# Permanent exit statuses of a process: starting it again would not help.
PERMANENT = {1: "FATAL", 2: "CONFIG", 4: "MISSING_PERMISSION"}

EXIT_OK = 0
EXIT_FATAL = 1
EXIT_CONFIG = 2
EXIT_MISSING_PERMISSION = 4
EXIT_NO_CONFIG = 6
EXIT_PROGRAM_ERROR = 70
EXIT_NO_MEMORY = 204

"""Quality of a build, measured beside the live one."""

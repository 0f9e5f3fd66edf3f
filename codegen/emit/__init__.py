"""The only place that spells C, Robot, linker and flash scripts, by the templates."""

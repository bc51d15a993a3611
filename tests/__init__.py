"""Tests, mirroring fedbot/; each folder says in its name what its tests stand on."""

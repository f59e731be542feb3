"""Set Django up, then run a subject: import order matters, models need the settings."""

import sys
from importlib import import_module

import django

django.setup()
name, operation, *rest = sys.argv[1:]
import_module(f"bench.subjects.{name}").main(operation, counts=rest == ["count"])

"""Sections of the configuration file: one file for one section, with everything that the section alone decides.

A section is a class of `fields.Section`: its fields with their defaults and sentences. Beside them stand

* `inconsistent(path)`: findings about settings of this section that contradict each other;
* `unavailable(path)`: findings about settings of features that this version does not have;
* `to_plan()` or `to_settings()`: what the section means to the plan or to the worker.

To add a setting, add its field here and pass it on in `to_plan()` or `to_settings()`. To add a section, write its file
and its line in `config/file.py`. What speaks of several sections is in `checks`, `availability` and `build`.
"""

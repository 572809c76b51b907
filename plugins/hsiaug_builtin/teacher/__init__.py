"""The teacher: which class an unlabelled pixel of a train view is named after, and how sure that
is.

Shared by all plugins that learn from pseudo-labels, so that they differ in what they do with them
alone. A teacher is fitted on labelled training pixels, and gives every pixel that the view shows
soft votes: those of several voters (:mod:`hsiaug_builtin.teacher.voters`) and of a classifier,
together (:mod:`hsiaug_builtin.teacher.teacher`). Of these :mod:`hsiaug_builtin.teacher.choice`
takes the surest of each class.
"""

"""The processes that run plugins: how they begin and end (:mod:`.processes`), what they may read
(:mod:`.confinement`), and what is noted of them (:mod:`.watching`).

They are sent a scene, training labels and positions, and never a test label. SECURITY.md says what
that promises, and what it does not.
"""

"""Who may learn from which pixel: protocols, splits that audit themselves, train views, the λ
rule.
"""

"""Near-duplicates, exact and with evidence: finding pairs, grouping them, reporting them.

Light to import: numba is loaded when a join is large enough to pay for it, Ray when it is asked for.
"""

from curation.dedup.duplicates import Cluster, Duplicates, Exact, Known, Member, cluster, drop_near, flag, look_up
from curation.dedup.join.executors import Engine, Local, Ray
from curation.dedup.join.index import Index
from curation.dedup.join.similar import components, similar_pairs

__all__ = [
    "Cluster",
    "Duplicates",
    "Engine",
    "Exact",
    "Index",
    "Known",
    "Local",
    "Member",
    "Ray",
    "cluster",
    "components",
    "drop_near",
    "flag",
    "look_up",
    "similar_pairs",
]

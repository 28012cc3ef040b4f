"""Near-duplicates, exact and with evidence: finds pairs, groups them, reports them.

In: samples, or texts. Out: clusters, pairs, flags. Imports the shared ground and, to read tables,
``importers/source``. numba is loaded only for a join that is large enough, Ray only on request.
"""

from curation.dedup.duplicates import (
    Cluster,
    Duplicates,
    Exact,
    Known,
    Member,
    cluster,
    drop_near,
    droppable,
    flag,
    look_up,
)
from curation.dedup.join.executors import Executor, Local, Ray
from curation.dedup.join.index import Index
from curation.dedup.join.similar import components, similar_pairs

__all__ = [
    "Cluster",
    "Duplicates",
    "Exact",
    "Executor",
    "Index",
    "Known",
    "Local",
    "Member",
    "Ray",
    "cluster",
    "components",
    "drop_near",
    "droppable",
    "flag",
    "look_up",
    "similar_pairs",
]

"""Label Studio: the queue goes there as tasks, and annotations come back as events of the review store.

Comes in: the queue, the review store, a server's address and token. Goes out: tasks there, events here. May import
``annotations.store``, ``annotations.words``, ``curation.review`` and the shared ground of ``curation``.

Neither side stores the other's state: a task carries its sample's id and revision, and an event's id names its
annotation. Every command compares the two sides and moves what differs, so it can be interrupted at any point and run
again.

- ``connection``: the server's address, the token, error messages
- ``project``, ``known_projects``: a project there; which ones this store has pushed to
- ``interface``, ``page_texts``: its labeling page; its words and instructions
- ``tasks``, ``open_samples``, ``push_tasks``: queue items as tasks, both ways; what there is to send; sending it
- ``close_tasks``: tasks of samples that were decided elsewhere, and how many annotators a task needs
- ``results``, ``annotation_events``, ``pull_verdicts``: one annotation read; the events it makes; writing them
- ``comments``: comments on annotations, where the server has them
- ``compare``, ``poll``: what differs; pulling whenever something changes
"""

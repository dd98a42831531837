"""Targets: the streaming interfaces under test, each named by an address.

base.py is the contract. addresses.py holds the table of built-in targets and takes addresses apart;
resolving.py turns an address into a target. Built in are builtin.py and builtin_sync.py (our
interfaces above the SDKs; layers.py is the streaming system above ``builtin``), sdk.py,
sdk_helper.py and sdk_nonstreaming.py (the SDKs alone) and frameworks/ (one file per framework).

Out of process: environments.py makes isolated environments, releases.py lists the versions of a
package, stdio.py exchanges JSON lines with a process, worker.py is that process for targets in
Python, worker_service.py what it replies.
"""

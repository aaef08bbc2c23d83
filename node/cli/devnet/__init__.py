"""A whole network on one machine: keys, genesis, settings, and one process per agency.

For development, demonstrations and tests. Nothing in it is special to the nodes: each has its own
folder, keys, TLS identity, ports and settings file, and is started by `atesta run`.

    plan.py        which agencies there are, and writing their folders
    processes.py   starting, watching and stopping the processes
    rpc.py         the few questions asked of a running node
"""

from node.cli.devnet.plan import (
    Devnet,
    DevnetNode,
    DevnetOptions,
    add_node,
    make_devnet,
    read_devnet,
)
from node.cli.devnet.processes import (
    NodeProcess,
    find_running,
    start_node,
    stop_node,
    stop_nodes,
    wait_final,
)
from node.cli.devnet.rpc import NodeRpc, RpcError

__all__ = [
    "Devnet",
    "DevnetNode",
    "DevnetOptions",
    "NodeProcess",
    "NodeRpc",
    "RpcError",
    "add_node",
    "find_running",
    "make_devnet",
    "read_devnet",
    "start_node",
    "stop_node",
    "stop_nodes",
    "wait_final",
]

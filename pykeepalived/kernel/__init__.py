"""The Linux side of each port: netlink, sockets, frames, processes."""

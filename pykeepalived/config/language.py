"""The whole language: every block that may stand at the top of a file, and the keywords outside every block."""

from pykeepalived.config.blocks.bfd_instance import BfdInstance
from pykeepalived.config.blocks.garp_group import GarpGroup
from pykeepalived.config.blocks.global_defs import GlobalDefs, Root
from pykeepalived.config.blocks.ssl import Ssl
from pykeepalived.config.blocks.track_file import TrackedFile
from pykeepalived.config.blocks.track_group import TrackGroup
from pykeepalived.config.blocks.virtual_server import VirtualServer
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.blocks.vrrp_script import VrrpScript
from pykeepalived.config.blocks.vrrp_sync_group import VrrpSyncGroup
from pykeepalived.config.blocks.vrrp_track_process import VrrpTrackProcess
from pykeepalived.config.schema import Block, by_name, table_of

ROOT: Block = table_of(Root)
TOP: dict[str, Block] = by_name(
    GlobalDefs,
    TrackGroup,
    VrrpSyncGroup,
    GarpGroup,
    VrrpInstance,
    VrrpScript,
    TrackedFile,
    VrrpTrackProcess,
    BfdInstance,
    VirtualServer,
    Ssl,
)

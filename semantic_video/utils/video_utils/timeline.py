"""The clock of a video, and the account of what could not be decoded."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from av import Packet, VideoFrame
from av.container import InputContainer
from av.error import BlockingIOError as CodecBusyError
from av.error import EOFError as CodecEndError
from av.error import FFmpegError
from av.video.stream import VideoStream

# A step back in time by so much is not disorder but the start of another recording.
_DISCONTINUITY_S = 1.0
_REPEAT_STEP_S = 0.001
_TAIL_TOLERANCE_S = 0.5
_MAX_READ_FAILURES = 50
# Formats whose demuxer searches on behind damage, so that packets go missing without an error.
_RESYNCING_FORMATS = frozenset({"matroska,webm", "mpegts", "mpeg", "flv", "ogg", "asf"})
_MAX_OUTSTANDING = 1024


def stamp_of(item: Packet[Any] | VideoFrame) -> int | None:
    """Presentation time of a packet or frame in its time base, for lack of it decoding time."""
    return item.pts if item.pts is not None else item.dts


class Clock:
    """Turns timestamps into seconds from the first presentation time.

    Args:
        origin: the first presentation timestamp.
        time_base: seconds of one unit.
        frame_s: the usual time from frame to frame.
    """

    def __init__(self, origin: int, time_base: Fraction, frame_s: float) -> None:
        self._origin = origin
        self._time_base = time_base
        self._frame_s = frame_s
        self._offset_s = 0.0
        self._latest_s: float | None = None
        self._latest_dts_s: float | None = None
        self.continuous = True
        """Whether no step back by a second or more was seen."""

    def seconds(self, stamp: int) -> float:
        """The time of ``stamp``; the nearest float to the exact fraction."""
        exact = (stamp - self._origin) * self._time_base.numerator / self._time_base.denominator
        return exact + self._offset_s if self._offset_s else exact

    def frame_time(self, stamp: int | None) -> float:
        """The time of the next frame in presentation order; strictly above the one before."""
        latest_s = self._latest_s
        if stamp is None:
            time_s = 0.0 if latest_s is None else latest_s + self._frame_s
        else:
            time_s = self.seconds(stamp)
            if latest_s is None:
                time_s = max(0.0, time_s)
            elif time_s <= latest_s - _DISCONTINUITY_S:
                time_s = self._continue_from(latest_s, time_s)
            elif time_s <= latest_s:
                time_s = latest_s + _REPEAT_STEP_S
        self._latest_s = time_s
        return time_s

    def packet_time(self, packet: Packet[Any]) -> float:
        """The presentation time of the next packet in decoding order."""
        stamp = stamp_of(packet)
        latest_s = self._latest_s
        if stamp is None:
            time_s = 0.0 if latest_s is None else latest_s + self._frame_s
        else:
            time_s = self.seconds(stamp)
            dts_s = time_s if packet.dts is None else self.seconds(packet.dts)
            if (
                latest_s is not None
                and self._latest_dts_s is not None
                and dts_s <= self._latest_dts_s - _DISCONTINUITY_S
            ):
                shift_s = self._continue_from(latest_s, time_s) - time_s
                time_s, dts_s = time_s + shift_s, dts_s + shift_s
            self._latest_dts_s = dts_s
        self._latest_s = time_s if latest_s is None else max(latest_s, time_s)
        return time_s

    def _continue_from(self, latest_s: float, time_s: float) -> float:
        self.continuous = False
        continued_s = latest_s + self._frame_s
        self._offset_s += continued_s - time_s
        return continued_s


class Ledger:
    """Keeps account of one pass over a file: what was read, what came out, what is missing.

    A packet whose frame has not come out when a later frame does is lost; the time from the first
    lost packet to that frame could not be decoded. Packets that never show a picture of their own
    (hidden reference frames, second fields) leave no gap and are not counted.
    """

    def __init__(self, origin: int, time_base: Fraction, frame_s: float) -> None:
        self._origin = origin
        self._time_base = time_base
        self._frame_s = frame_s
        self._outstanding: dict[int, None] = {}
        self._lost = self._read_faults = self._decode_faults = 0
        self._flagged_packets = self._flagged_frames = 0
        self._file_position: int | None = None
        self._skipped_bytes = self._video_bytes = 0
        self._first_dts_s: float | None = None
        self._last_dts_s: float | None = None
        self.undecoded_s = 0.0
        """Seconds of the timeline without a decodable frame."""
        self._video_end_s = 0.0
        self._read_end_s = 0.0

    @property
    def broken_packets(self) -> int:
        """Packets that could not be read, or did not decode as they should."""
        # One broken packet can show as an error, as a flag and as a missing or flagged frame.
        return self._read_faults + max(
            self._decode_faults, self._flagged_packets, self._lost + self._flagged_frames
        )

    def read(self, container: InputContainer, stream: VideoStream) -> Iterator[Packet[Any]]:
        """The packets of ``stream`` from the current position; what cannot be read is counted."""
        resyncs = container.format.name in _RESYNCING_FORMATS
        failures = 0
        while failures < _MAX_READ_FAILURES:
            try:
                # All streams are read: what fills the file between two packets tells a pause in
                # the video from a loss.
                for packet in container.demux():
                    if not packet.size:
                        continue
                    failures = 0
                    is_video = packet.stream_index == stream.index
                    self._book(packet, is_video, resyncs)
                    if is_video:
                        yield packet
                return
            except FFmpegError:
                failures += 1
                self._read_faults += 1

    def decode(self, stream: VideoStream, packet: Packet[Any] | None) -> list[VideoFrame]:
        """The frames that come out when ``packet`` goes in; None at the end, for the last ones."""
        if packet is not None:
            self._flagged_packets += packet.is_corrupt
            stamp = stamp_of(packet)
            if stamp is not None and not packet.is_discard:
                if len(self._outstanding) >= _MAX_OUTSTANDING:
                    self._outstanding.clear()
                self._outstanding[stamp] = None
        try:
            frames = stream.codec_context.decode(packet)
        except CodecEndError:
            return []
        except FFmpegError as error:
            self._decode_faults += 1
            if isinstance(error, CodecBusyError):
                stream.codec_context.flush_buffers()
            return []
        for frame in frames:
            self._note_frame(frame)
        return frames

    def jump(self) -> None:
        """Start booking anew after a jump in the file."""
        self._outstanding.clear()
        self._file_position = self._last_dts_s = None

    def close(self, promised_s: float) -> bool:
        """Book the end of a complete pass; return whether frames are missing there."""
        missing = bool(self._outstanding)
        if missing:
            first, last = min(self._outstanding), max(self._outstanding)
            lost_s = float((last - first) * self._time_base) + self._frame_s
            if lost_s > self._frame_s or self._decode_faults:
                self.undecoded_s += lost_s
                self._lost += len(self._outstanding)
            self._outstanding.clear()
        # Where sound goes on to the end, the file is whole and its pictures just stop earlier.
        if promised_s - self._read_end_s > max(_TAIL_TOLERANCE_S, 2 * self._frame_s):
            self.undecoded_s += promised_s - self._video_end_s
            missing = True
        return missing

    def _note_frame(self, frame: VideoFrame) -> None:
        self._flagged_frames += frame.is_corrupt
        stamp = stamp_of(frame)
        if stamp is None:
            return
        before = [other for other in self._outstanding if other < stamp]
        if before:
            lost_s = float((stamp - min(before)) * self._time_base)
            if lost_s >= 0.75 * self._frame_s:
                self.undecoded_s += lost_s
                self._lost += len(before)
            for other in before:
                del self._outstanding[other]
        self._outstanding.pop(stamp, None)

    def _book(self, packet: Packet[Any], is_video: bool, resyncs: bool) -> None:
        if packet.pos is not None:
            if self._file_position is not None:
                self._skipped_bytes += max(0, packet.pos - self._file_position)
            self._file_position = max(self._file_position or 0, packet.pos + packet.size)
        time_base = packet.stream.time_base
        stamp = stamp_of(packet)
        if stamp is not None and time_base is not None:
            length_s = self._frame_s if is_video else float((packet.duration or 0) * time_base)
            origin_s = self._origin * self._time_base
            end_s = float(stamp * time_base - origin_s) + length_s
        else:
            end_s = self._video_end_s + self._frame_s if is_video else 0.0
        self._read_end_s = max(self._read_end_s, end_s)
        if is_video:
            self._video_end_s = max(self._video_end_s, end_s)
            if packet.dts is not None and time_base is not None:
                self._book_video(float(packet.dts * time_base), packet.size, resyncs)

    def _book_video(self, dts_s: float, size: int, resyncs: bool) -> None:
        """Count a stretch that a resyncing demuxer left out before this packet.

        A gap in time alone may be a still picture at a variable rate; it is a hole only if bytes
        were skipped there, at least a quarter of what so much video takes.
        """
        if self._first_dts_s is None or self._last_dts_s is None:
            self._first_dts_s = dts_s if self._first_dts_s is None else self._first_dts_s
        elif resyncs:
            gap_s = dts_s - self._last_dts_s
            bytes_per_s = self._video_bytes / max(self._last_dts_s - self._first_dts_s, 1.0)
            if gap_s > max(0.5, 5 * self._frame_s) and (
                self._skipped_bytes > 0.25 * gap_s * bytes_per_s
            ):
                self.undecoded_s += gap_s - self._frame_s
                self._read_faults += 1
        self._last_dts_s = dts_s
        self._skipped_bytes = 0
        self._video_bytes += size

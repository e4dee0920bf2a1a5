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
_TAIL_TOLERANCE_S = 0.5
# Time without a frame, in usual distances of frames, from which on packets count as lost; where the
# decoder leaves frames out, whole runs of B-frames go missing without a loss.
_LEAST_LOSS = 0.75
_LEAST_LOSS_SKIPPING = 10.0
_MAX_READ_FAILURES = 50
# Formats whose demuxer searches on behind damage, so that packets go missing without an error.
_RESYNCING_FORMATS = frozenset({"matroska,webm", "mpegts", "mpeg", "flv", "ogg", "asf"})
_MAX_OUTSTANDING = 1024


def stamp_of(item: Packet[Any] | VideoFrame) -> int | None:
    """Presentation time of a packet or frame in its time base, for lack of it decoding time."""
    return item.pts if item.pts is not None else item.dts


class Clock:
    """Turns timestamps into seconds from the first presentation time, in decoding order.

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

    @property
    def continuous(self) -> bool:
        """Whether no step back by a second or more was seen (joined recordings)."""
        return self._offset_s == 0.0

    def seconds(self, stamp: int) -> float:
        """The time of ``stamp``: the float nearest to the exact fraction, where continuous."""
        exact = (stamp - self._origin) * self._time_base.numerator / self._time_base.denominator
        return exact if self.continuous else exact + self._offset_s

    def packet_time(self, packet: Packet[Any]) -> float:
        """The presentation time of the next packet in decoding order.

        A packet without timestamp follows the one before at the average rate; where decoding time
        steps back by a second or more, the rest is moved to follow on.
        """
        stamp, latest_s = stamp_of(packet), self._latest_s
        follows_s = 0.0 if latest_s is None else latest_s + self._frame_s
        if stamp is None:
            time_s = follows_s
        else:
            time_s = self.seconds(stamp)
            dts_s = time_s if packet.dts is None else self.seconds(packet.dts)
            if self._latest_dts_s is not None and dts_s <= self._latest_dts_s - _DISCONTINUITY_S:
                shift_s = follows_s - time_s
                self._offset_s += shift_s
                time_s, dts_s = time_s + shift_s, dts_s + shift_s
            self._latest_dts_s = dts_s
        self._latest_s = time_s if latest_s is None else max(latest_s, time_s)
        return time_s

    def jump(self) -> None:
        """Take the next packet as it comes, after a jump in the file."""
        self._latest_dts_s = None


class Ledger:
    """Keeps account of one pass over a file: what was read, what came out, what is missing.

    A packet whose frame has not come out when a later frame does is lost; the time from the first
    lost packet to that frame could not be decoded. Packets that never show a picture of their own
    (hidden reference frames, second fields) leave no gap and are not counted.
    """

    def __init__(
        self, origin: int, time_base: Fraction, frame_s: float, skipping: bool = False
    ) -> None:
        self._least_loss_s = (_LEAST_LOSS_SKIPPING if skipping else _LEAST_LOSS) * frame_s
        self._clock = Clock(origin, time_base, frame_s)
        self._origin_s = origin * time_base
        self._frame_s = frame_s
        # Time of every packet whose frame has not come out, by timestamp.
        self._outstanding: dict[int, float] = {}
        self._last_frame_s: float | None = None
        self._lost = self._read_faults = self._decode_faults = 0
        self._flagged_packets = self._flagged_frames = 0
        self._file_position: int | None = None
        self._skipped_bytes = self._skipped_bytes_before = self._video_bytes = 0
        self._video_end_s = 0.0
        self._read_end_s = 0.0
        self.decoded = 0
        """Frames that came out of the decoder, also those on the way to what was wanted."""
        self.decoded_bytes = 0
        """Bytes that went into the decoder."""
        self.undecoded_s = 0.0
        """Seconds of the timeline without a decodable frame."""

    @property
    def broken_packets(self) -> int:
        """Packets that could not be read, or did not decode as they should."""
        # One broken packet can show as an error, as a flag and as a missing or flagged frame.
        return self._read_faults + max(
            self._decode_faults, self._flagged_packets, self._lost + self._flagged_frames
        )

    @property
    def continuous(self) -> bool:
        """Whether timestamps name one time each: false for joined recordings."""
        return self._clock.continuous

    def read(
        self, container: InputContainer, stream: VideoStream
    ) -> Iterator[tuple[float, Packet[Any]]]:
        """Times and packets of ``stream`` from here on; what cannot be read is counted."""
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
                    self._book_place(packet)
                    if packet.stream_index == stream.index:
                        time_s = self._clock.packet_time(packet)
                        self._book_video(time_s, packet, resyncs)
                        yield time_s, packet
                    else:
                        self._book_other(packet)
                return
            except FFmpegError:
                failures += 1
                self._read_faults += 1

    def decode(
        self, stream: VideoStream, packet: Packet[Any] | None, time_s: float = 0.0
    ) -> list[tuple[float, VideoFrame]]:
        """Times and frames that come out when ``packet`` goes in; None at the end, for the rest.

        Times increase strictly: a frame that is not later than the one before (a repeated
        timestamp, a leftover from before damage) is left out.
        """
        if packet is not None:
            self.decoded_bytes += packet.size
            self._flagged_packets += packet.is_corrupt
            stamp = stamp_of(packet)
            if stamp is not None and not packet.is_discard:
                if len(self._outstanding) >= _MAX_OUTSTANDING:
                    self._outstanding.clear()
                self._outstanding[stamp] = time_s
        try:
            frames = stream.codec_context.decode(packet)
        except CodecEndError:
            return []
        except FFmpegError as error:
            self._decode_faults += 1
            if isinstance(error, CodecBusyError):
                stream.codec_context.flush_buffers()
            return []
        self.decoded += len(frames)
        timed = []
        for frame in frames:
            frame_s = self._arrive(frame)
            if self._last_frame_s is None or frame_s > self._last_frame_s:
                self._last_frame_s = frame_s
                timed.append((frame_s, frame))
        return timed

    def jump(self) -> None:
        """Start booking anew after a jump in the file."""
        self._outstanding.clear()
        self._file_position = self._last_frame_s = None
        self._video_bytes = 0
        self._clock.jump()

    def close(self, promised_s: float) -> bool:
        """Book the end of a complete pass; return whether frames are missing there."""
        missing = False
        if self._outstanding:
            first_s, last_s = min(self._outstanding.values()), max(self._outstanding.values())
            lost_s = last_s - first_s + self._frame_s
            # A single packet without a frame may be a hidden one, unless something went wrong.
            if lost_s > max(self._frame_s, self._least_loss_s) or self._decode_faults:
                missing = True
                self.undecoded_s += lost_s
                self._lost += len(self._outstanding)
            self._outstanding.clear()
        # Where sound goes on to the end, the file is whole and its pictures just stop earlier.
        if promised_s - self._read_end_s > max(_TAIL_TOLERANCE_S, 2 * self._frame_s):
            self.undecoded_s += promised_s - self._video_end_s
            missing = True
        return missing

    def _arrive(self, frame: VideoFrame) -> float:
        """Book a frame and return its time."""
        self._flagged_frames += frame.is_corrupt
        stamp = stamp_of(frame)
        if stamp is None:
            return 0.0 if self._last_frame_s is None else self._last_frame_s + self._frame_s
        time_s = self._outstanding.pop(stamp, None)
        if time_s is None:
            time_s = self._clock.seconds(stamp)
        lost = {key: at_s for key, at_s in self._outstanding.items() if at_s < time_s}
        if lost:
            gap_s = time_s - min(lost.values())
            if gap_s >= self._least_loss_s:
                self.undecoded_s += gap_s
                self._lost += len(lost)
            for key in lost:
                del self._outstanding[key]
        return max(0.0, time_s)

    def _book_place(self, packet: Packet[Any]) -> None:
        if packet.pos is not None:
            if self._file_position is not None:
                self._skipped_bytes += max(0, packet.pos - self._file_position)
            self._file_position = max(self._file_position or 0, packet.pos + packet.size)

    def _book_other(self, packet: Packet[Any]) -> None:
        if packet.pts is not None and packet.stream.time_base is not None:
            end = (packet.pts + (packet.duration or 0)) * packet.stream.time_base
            self._read_end_s = max(self._read_end_s, float(end - self._origin_s))

    def _book_video(self, time_s: float, packet: Packet[Any], resyncs: bool) -> None:
        """Note where the video has got to, and count a stretch that the demuxer left out.

        A gap in time alone may be a still picture at a variable rate; it is a hole only if bytes
        were skipped there, at least a quarter of what so much video takes. Where the place in the
        file is unknown (MPEG program streams, whose rate is constant), every gap is a hole.
        """
        gap_s = time_s - self._video_end_s
        if resyncs and self._video_bytes and gap_s > max(0.5, 10 * self._frame_s):
            bytes_per_s = self._video_bytes / max(self._video_end_s, 1.0)
            skipped_bytes = self._skipped_bytes + self._skipped_bytes_before
            if packet.pos is None or skipped_bytes > 0.25 * gap_s * bytes_per_s:
                self.undecoded_s += gap_s
                self._read_faults += 1
        self._video_bytes += packet.size
        if stamp_of(packet) is not None:  # without one, its time is only assumed
            # Packets of interleaved streams may come out one late, hence two intervals.
            self._skipped_bytes_before, self._skipped_bytes = self._skipped_bytes, 0
        self._video_end_s = max(self._video_end_s, time_s + self._frame_s)
        self._read_end_s = max(self._read_end_s, self._video_end_s)

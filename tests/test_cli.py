"""The command line end to end, in processes of its own, on small films made by code."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from semantic_video.cli import run
from semantic_video.library import Library
from tests.media import (
    Shot,
    picture,
    render,
    truncate,
    write_audio,
    write_video,
)
from tests.processes import heeds_ctrl_c

# Three places, each of which returns.
SHOTS = [Shot(seed, 2.0) for seed in (1, 2, 3, 1, 2, 3)]


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def run_cli(*arguments: object) -> Done:
    """Run a command in this process, which spares the imports; `spawn` starts a real one."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run([str(argument) for argument in arguments])
    texts = []
    for stream in (out, err):
        stream.seek(0)
        texts.append(stream.read())
    return Done(status, *texts)


STARTED = "print(flush=True); from semantic_video.__main__ import main; main()"


def spawn(*arguments: object, started: bool = False) -> subprocess.Popen[str]:
    """``started`` waits until the command itself begins: on a busy machine the interpreter takes
    seconds to come up, and what interrupts it then is not ours to handle."""
    process = subprocess.Popen(
        [sys.executable, *(("-c", STARTED) if started else ("-m", "semantic_video")),
         *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )  # fmt: skip
    if started:
        assert process.stdout is not None
        process.stdout.readline()
    return process


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "holiday's “best” 🎬.mp4"
    return write_video(path, render(SHOTS))


@pytest.fixture(scope="module")
def library(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shared") / "library"
    done = run_cli("index", film, "--library", path, "--num-clusters", 3)
    assert done.returncode == 0, done.stderr
    return path


def assert_refused(done: Done, *words: str) -> None:
    """Exit status 2, nothing on standard output, one line that holds ``words``."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("semantic-video: ")
    for word in words:
        assert word in lines[0]


# What a user gets


def test_index_says_what_it_did(film: Path, tmp_path: Path) -> None:
    done = run_cli("index", film, "--library", tmp_path / "l")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith(film.name)
    assert "0.0 s could not be decoded" in line
    assert "0:00:12" in line
    assert re.search(r"6 scenes, \d+ clusters?;", line)
    assert re.search(r"in [\d.]+ s \(\d+x real time\)", line)


def test_index_again_has_nothing_to_do(film: Path, library: Path) -> None:
    before = Library(library).videos()
    done = run_cli("index", film.parent, "--library", library)
    assert done.returncode == 0
    assert "nothing to do" in done.stderr
    assert Library(library).videos() == before


def test_scenes_tile_and_returning_places_share_a_cluster(film: Path, library: Path) -> None:
    scenes = json.loads(run_cli("scenes", film, "--library", library, "--json").stdout)
    assert [set(scene) for scene in scenes] == [{"id", "start_s", "end_s", "cluster"}] * 6
    assert scenes[0]["start_s"] == 0
    assert scenes[-1]["end_s"] == pytest.approx(12, abs=0.1)
    for left, right in itertools.pairwise(scenes):
        assert left["end_s"] == right["start_s"]
    assert [scene["start_s"] for scene in scenes] == pytest.approx([0, 2, 4, 6, 8, 10], abs=0.2)
    clusters = [scene["cluster"] for scene in scenes]
    assert clusters[:3] == clusters[3:]
    assert len(set(clusters)) == 3

    shown = run_cli("scenes", film.name, "--library", library).stdout
    assert len(shown.splitlines()) == 7
    assert "0:00:00-0:00:02" in shown


def test_clusters_list_every_occurrence(film: Path, library: Path) -> None:
    clusters = json.loads(run_cli("clusters", film, "--library", library, "--json").stdout)
    assert len(clusters) == 3
    for cluster in clusters:
        assert len(cluster["occurrences"]) == 2
        assert cluster["total_s"] == pytest.approx(4, abs=0.3)
        assert cluster["name"]
    assert len({cluster["name"] for cluster in clusters}) == 3


def test_search_by_text(film: Path, library: Path) -> None:
    done = run_cli("search", "a person walking", "--library", library, "-k", 3, "--json")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    answer = json.loads(line)
    assert answer["found"] is False  # nothing but shapes
    assert len(answer["moments"]) == 3
    assert all(0 <= moment["probability"] < 0.5 for moment in answer["moments"])
    exact = run_cli("search", "a person walking", "--library", library, "-k", 3, "--json",
                    "--exact").stdout  # fmt: skip
    assert json.loads(exact) == answer

    shown = run_cli("search", "a person walking", "--library", library, "-k", 3).stdout
    verdict, header, *rows = shown.splitlines()
    assert verdict in {"probably not in this video; the nearest:", "perhaps"}
    assert header.split() == ["rank", "video", "time", "score", "probability", "cluster"]
    assert len(rows) == 3
    assert re.search(r"\d:\d\d:\d\d-\d:\d\d:\d\d", rows[0])


def test_search_by_picture_finds_both_returns(film: Path, library: Path, tmp_path: Path) -> None:
    import av

    photo = tmp_path / "photo.png"
    frame = next(render([Shot(2, 1)]))
    with av.open(str(photo), "w", format="image2") as container:
        stream = container.add_stream("png", rate=1)
        stream.height, stream.width = frame.shape[:2]
        stream.pix_fmt = "rgb24"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(frame)))
        container.mux(stream.encode(None))
    done = run_cli("search", "--image", photo, "--library", library, "-k", 2, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["found"] is True
    starts = sorted(moment["start_s"] for moment in answer["moments"])
    assert starts == pytest.approx([2, 8], abs=0.2)


def test_queries_from_a_file_are_answered_in_order(library: Path, tmp_path: Path) -> None:
    queries = tmp_path / "queries.txt"
    queries.write_text("a red ball\nein Hund 🐶\na street\n", encoding="utf-8")
    done = run_cli("search", "--queries", queries, "--library", library, "--json")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["query"] for answer in answers] == ["a red ball", "ein Hund 🐶", "a street"]


def test_list_info_doctor(film: Path, library: Path) -> None:
    (video,) = json.loads(run_cli("list", "--library", library, "--json").stdout)
    assert video["name"] == film.name
    assert film.name in run_cli("list", "--library", library).stdout
    facts = json.loads(run_cli("info", video["id"], "--library", library, "--json").stdout)
    assert facts["id"] == video["id"]
    assert {tier["name"] for tier in facts["tiers"]} >= {"entry", "cluster"}
    assert "0:00:12" in run_cli("info", film, "--library", library).stdout
    done = run_cli("doctor", "--library", library)
    assert done.returncode == 0, done.stderr
    assert "non-commercial" in done.stdout
    assert str(library) in done.stdout
    assert all(finding["ok"] for finding in json.loads(
        run_cli("doctor", "--library", library, "--json").stdout))  # fmt: skip


def test_remove_forgets_the_index_and_keeps_the_film(film: Path, tmp_path: Path) -> None:
    library = tmp_path / "l"
    run_cli("index", film, "--library", library)
    assert run_cli("remove", film, "--library", library).returncode == 0
    assert film.exists()
    assert json.loads(run_cli("list", "--library", library, "--json").stdout) == []
    assert_refused(run_cli("search", "a dog", "--library", library), "empty", "index")


def test_version_and_help() -> None:
    process = spawn("--version")
    assert re.fullmatch(r"semantic-video \d+\.\d+\.\d+\n", process.communicate()[0])
    for command in ["index", "search", "scenes", "clusters", "list", "info", "remove", "doctor"]:
        assert run_cli(command, "--help").returncode == 0


# Change


def test_a_renamed_film_is_recognised(tmp_path: Path) -> None:
    library, film = tmp_path / "l", write_video(tmp_path / "a.mp4", render(SHOTS[:2]))
    run_cli("index", film, "--library", library)
    (before,) = Library(library).videos()
    film = film.rename(tmp_path / "b.mp4")
    # Before anything is indexed again, the new name already means the film.
    assert run_cli("scenes", film, "--library", library).returncode == 0
    done = run_cli("index", film, "--library", library)
    assert "recognised" in done.stderr
    assert "nothing to do" in done.stderr
    (after,) = Library(library).videos()
    assert (after.id, after.generation, after.name) == (before.id, before.generation, "b.mp4")


def test_a_changed_film_is_indexed_anew(tmp_path: Path) -> None:
    library, film = tmp_path / "l", write_video(tmp_path / "a.mp4", render(SHOTS[:2]))
    run_cli("index", film, "--library", library)
    write_video(film, render(SHOTS[:3]))
    assert run_cli("index", film, "--library", library).returncode == 0
    (video,) = Library(library).videos()
    assert video.duration_s == pytest.approx(6, abs=0.1)


def test_changed_options_redo_only_what_they_touch(film: Path, tmp_path: Path) -> None:
    library = tmp_path / "l"

    def index(*options: object) -> list[str]:
        done = run_cli("index", film, "--library", library, "--json", *options)
        assert done.returncode == 0, done.stderr
        (report,) = json.loads(done.stdout)
        stages: list[str] = report["done"]
        return stages

    assert index() == ["scenes", "vectors", "memory", "clusters"]
    assert index() == []
    assert index("--num-clusters", 2) == ["clusters"]
    assert Library(library).videos()[0].clusters == 2
    assert index() == [], "options that are not given stay as they were"
    assert index("--clustering-method", "spectral") == ["clusters"]
    assert index("--memory-size", 3) == ["memory", "clusters"]
    assert Library(library).videos()[0].entries == 3
    scenes = json.loads(run_cli("scenes", film, "--library", library, "--json").stdout)
    assert len(scenes) == 6, "every occurrence is remembered"
    assert index("--memory-size", 100) == ["vectors", "memory", "clusters"]
    assert Library(library).videos()[0].entries == 6


def test_an_offline_film_is_still_searched(tmp_path: Path) -> None:
    library, film = tmp_path / "l", write_video(tmp_path / "a.mp4", render(SHOTS[:2]))
    run_cli("index", film, "--library", library)
    film.unlink()
    assert run_cli("search", "a dog", "--video", film, "--library", library).returncode == 0
    assert "offline" in run_cli("list", "--library", library).stdout


# Bad input


def test_short_black_and_odd_films_are_indexed_with_notes(tmp_path: Path) -> None:
    films = [
        write_video(tmp_path / "one frame.mp4", [picture(1)]),
        write_video(tmp_path / "black.mp4", [picture(1) * 0] * 48),
    ]
    library = tmp_path / "l"
    done = run_cli("index", *films, "--library", library, "--num-clusters", 50)
    assert done.returncode == 0, done.stderr
    for video in Library(library).videos():
        assert video.clusters <= video.scenes
    assert "1 cluster, not 50" in done.stderr
    assert "a single frame" in done.stderr
    assert "black throughout" in done.stderr
    answer = json.loads(run_cli("search", "night", "--library", library, "--json").stdout)
    assert answer["moments"]


def test_a_truncated_film_is_indexed_as_far_as_it_goes(film: Path, tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mkv", render(SHOTS))
    done = run_cli("index", truncate(whole, 0.6), "--library", tmp_path / "l")
    assert done.returncode == 0, done.stderr
    assert " 0.0 s could not be decoded" not in done.stderr
    (video,) = Library(tmp_path / "l").videos()
    assert video.undecoded_s > 1


def test_what_cannot_be_indexed_is_refused_in_one_line(film: Path, tmp_path: Path) -> None:
    library = tmp_path / "l"
    (tmp_path / "empty folder").mkdir()
    text = tmp_path / "notes.mp4"
    text.write_text("not a film at all", encoding="utf-8")
    (tmp_path / "zero.mp4").touch()
    (tmp_path / "link.mp4").symlink_to(tmp_path / "gone.mp4")
    cut = write_video(tmp_path / "cut.mp4", render(SHOTS[:2]))
    truncate(cut, 0.5)  # the index of an mp4 lies at its end
    audio = write_audio(tmp_path / "song.wav")
    cases: list[tuple[Path, str]] = [
        (tmp_path / "none.mp4", "no such file"),
        (tmp_path / "link.mp4", "gone.mp4"),
        (tmp_path / "empty folder", "no videos"),
        (text, "notes.mp4"),
        (audio, "song.wav"),
        (tmp_path / "zero.mp4", "zero bytes"),
        (cut, "cut.mp4"),
    ]
    for path, words in cases:
        assert_refused(run_cli("index", path, "--library", library), words)


def test_some_of_several_failing_leaves_the_others_indexed(film: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"nothing")
    done = run_cli("index", bad, tmp_path / "none.mp4", film, "--library", tmp_path / "l")
    assert done.returncode == 1
    assert done.stderr.count("semantic-video: ") == 2
    assert [video.name for video in Library(tmp_path / "l").videos()] == [film.name]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("search", ""), "empty"),
        (("search", "   "), "empty"),
        (("search",), "say what to find"),
        (("search", "a dog", "-k", "0"), "at least 1"),
        (("search", "a dog", "-k", "x"), "-k"),
        (("search", "a dog", "--video", "nothing.mp4"), "nothing.mp4"),
        (("search", "--image", "nothing.jpg"), "nothing.jpg"),
        (("search", "--queries", "nothing.txt"), "nothing.txt"),
        (("scenes", "nothing.mp4"), "nothing.mp4"),
        (("search", "a dog", "--colour"), "--colour"),
        (("serach", "a dog"), "serach"),
    ],
)
def test_bad_words_are_refused_in_one_line(
    library: Path, arguments: tuple[str, ...], words: str
) -> None:
    library_option = () if arguments[0] == "serach" else ("--library", library)
    assert_refused(run_cli(*arguments, *library_option), words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--model", "lit"), "did you mean 'lite'"),
        (("--clustering-method", "kmean"), "kmeans or spectral"),
        (("--num-clusters", "many"), "whole number or auto"),
        (("--num-clusters", "0"), "1 or more"),
        (("--memory-size", "0"), "1 or more"),
        (("--memory-size", "x"), "--memory-size"),
    ],
)
def test_bad_options_are_refused_in_one_line(
    film: Path, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    assert_refused(run_cli("index", film, "--library", tmp_path / "l", *options), words)


def test_libraries_that_cannot_be_used(film: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert_refused(run_cli("search", "a dog", "--library", missing), "no library", "index")
    assert_refused(run_cli("list", "--library", missing), "no library")
    for version, words in ((10**6, "newer"), ("{", "broken")):
        library = tmp_path / f"library {words}"
        run_cli("index", film, "--library", library)
        manifest = library / "library.json"
        text = manifest.read_text(encoding="utf-8")
        facts = json.loads(text) | {"format_version": version}
        manifest.write_text("{" if version == "{" else json.dumps(facts), encoding="utf-8")
        assert_refused(run_cli("search", "a dog", "--library", library), words)
        assert_refused(run_cli("index", film, "--library", library), words)


@pytest.mark.skipif(sys.platform == "win32", reason="read-only directories work otherwise there")
def test_a_read_only_directory_is_refused(film: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o555)
    try:
        assert_refused(run_cli("index", film, "--library", tmp_path / "l"), "cannot")
    finally:
        tmp_path.chmod(0o755)


# Interruption


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_index_keeps_what_was_there_and_resumes(
    tmp_path: Path, kind: signal.Signals
) -> None:
    library = tmp_path / "l"
    first = write_video(tmp_path / "1.mp4", render(SHOTS[:2]))
    second = write_video(tmp_path / "2.mp4", render(SHOTS * 12))
    run_cli("index", first, "--library", library)
    before = Library(library).videos()
    for delay_s in (0.3, 0.8, 1.3):
        process = spawn("index", tmp_path, "--library", library, started=True)
        time.sleep(delay_s)
        process.send_signal(kind)
        _, talk = process.communicate()
        assert "Traceback" not in talk
        videos = Library(library).videos()
        assert before[0] in videos
        assert json.loads(run_cli("scenes", first, "--library", library, "--json").stdout)
    done = run_cli("index", tmp_path, "--library", library)
    assert done.returncode == 0, done.stderr
    assert "1.mp4: " in done.stderr
    assert "nothing to do" in done.stderr
    assert [video.name for video in Library(library).videos()] == ["1.mp4", "2.mp4"]
    assert run_cli("scenes", second, "--library", library).returncode == 0


def test_two_runs_at_once_are_safe(tmp_path: Path) -> None:
    films = [write_video(tmp_path / f"{i}.mp4", render(SHOTS[: i + 1])) for i in range(2)]
    library = tmp_path / "l"
    runs = [spawn("index", film, "--library", library) for film in [*films, films[0]]]
    for process in runs:
        _, talk = process.communicate()
        assert process.returncode == 0, talk
    assert [video.name for video in Library(library).videos()] == ["0.mp4", "1.mp4"]


# What a reviewer tried


def test_two_bad_files_are_refused_in_one_line(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(b"nothing")
    done = run_cli("index", tmp_path / "a.mp4", tmp_path / "b.mp4", "--library", tmp_path / "l")
    assert_refused(done, "a.mp4", "b.mp4")


def test_bad_options_leave_no_library_behind(film: Path, tmp_path: Path) -> None:
    for options in (("--num-clusters", 0), ("--memory-size", 0), ("--seed", -1), ("--model", "x")):
        assert_refused(run_cli("index", film, "--library", tmp_path / "l", *options))
    assert not (tmp_path / "l").exists()


def test_a_file_that_takes_the_place_of_another(tmp_path: Path) -> None:
    library = tmp_path / "l"
    films = tmp_path / "films"
    films.mkdir()
    first = write_video(films / "a.mp4", render(SHOTS[:2]))
    second = write_video(films / "b.mp4", render(SHOTS[2:]))
    assert run_cli("index", films, "--library", library).returncode == 0
    second.replace(first)
    assert run_cli("index", films, "--library", library).returncode == 0
    (video,) = Library(library).videos()
    assert video.duration_s == pytest.approx(8, abs=0.1)
    assert run_cli("scenes", first, "--library", library).returncode == 0


def test_json_is_valid_whatever_the_encoding(film: Path, library: Path) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "semantic_video", "list", "--json", "--library", str(library)]
    done = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert json.loads(done.stdout)[0]["name"] == film.name


def test_names_cannot_write_on_the_terminal(library: Path) -> None:
    done = run_cli("search", "a dog", "--library", library, "--video", "no\x1b[2J\nsuch.mp4")
    assert_refused(done, "\\x1b")
    assert "\x1b" not in done.stderr


def test_an_empty_path_is_not_this_folder(tmp_path: Path) -> None:
    assert_refused(run_cli("index", "", "--library", tmp_path / "l"), "empty")


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (("edit", "a.mp4", "--merge", "1"), "semantic-video edit"),
        (("edit", "a.mp4", "--split", "x"), "semantic-video edit"),
        (("edit", "a.mp4", "--mrege", "1", "2"), "semantic-video edit"),
        (("watch",), "semantic-video watch"),
        (("models", "fetch"), "semantic-video models"),
        (("wtach", "-"), "semantic-video"),
        (("--nonsense",), "semantic-video"),
    ],
)
def test_a_misused_command_names_its_own_help(
    arguments: tuple[str, ...], command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert capsys.readouterr().err.endswith(f"; see `{command} --help`\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_results_that_cannot_be_written(library: Path) -> None:
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [sys.executable, "-m", "semantic_video", "list", "--library", str(library)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert process.returncode == 2
    assert process.stderr.startswith("semantic-video: cannot write the results")
    assert len(process.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", [("--version",), ("doctor",), ("doctor", "--json")])
def test_a_reader_that_went_away_is_no_failure(command: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.run(
        [sys.executable, "-m", "semantic_video", *command],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.skipif(os.name != "posix", reason="closes a descriptor in a shell")
def test_watching_a_closed_standard_input_is_refused(tmp_path: Path) -> None:
    process = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m semantic_video watch - --library {tmp_path / 'l'} <&-"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 2
    assert process.stderr == ("semantic-video: standard input is closed; pipe a video into it\n")


def test_a_configuration_overrides_what_an_earlier_run_chose(film: Path, tmp_path: Path) -> None:
    library = tmp_path / "l"
    run_cli("index", film, "--library", library, "--num-clusters", 2)
    config = tmp_path / "mine.yaml"
    config.write_text("clustering:\n  num_clusters: auto\n", encoding="utf-8")
    done = run_cli("index", film, "--library", library, "--config", config)
    assert "clusters made anew" in done.stderr
    assert Library(library).videos()[0].settings["num_clusters"] == "auto"


def test_films_with_one_name_are_told_apart(tmp_path: Path) -> None:
    library = tmp_path / "l"
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
    write_video(tmp_path / "here" / "x.mp4", render(SHOTS[:1]))
    write_video(tmp_path / "there" / "x.mp4", render(SHOTS[1:2]))
    assert run_cli("index", tmp_path, "--library", library).returncode == 0
    shown = run_cli("search", "a dog", "--library", library).stdout
    assert str(tmp_path / "here" / "x.mp4") in shown
    assert str(tmp_path / "there" / "x.mp4") in shown


def test_a_mended_slip_is_said(library: Path) -> None:
    done = run_cli("search", "a kithcen with a window", "--library", library)
    assert "reading 'a kithcen with a window' as 'a kitchen with a window'" in done.stderr


def test_quiet_says_nothing_and_verbose_says_more(film: Path, tmp_path: Path) -> None:
    assert run_cli("index", film, "--library", tmp_path / "l", "--quiet").stderr == ""
    done = run_cli("index", film, "--library", tmp_path / "l", "--verbose")
    assert "frame vectors" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals of POSIX")
def test_ctrl_c_on_a_terminal_says_what_is_kept(tmp_path: Path) -> None:
    import pty

    film = write_video(tmp_path / "long.mp4", render(SHOTS * 40))
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "semantic_video", "index", str(film), "--library",
         str(tmp_path / "l"), "--depth", "full"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        preexec_fn=heeds_ctrl_c,
    )  # fmt: skip
    os.close(theirs)
    talk = b""
    while b"watching" not in talk:  # the bar is drawn: the film is being decoded
        talk += os.read(ours, 4096)
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(OSError):  # the end of a pseudo-terminal
        while chunk := os.read(ours, 4096):
            talk += chunk
    assert process.wait() == 130
    assert b"stopped; what was finished is kept" in talk
    assert b"Traceback" not in talk


def test_a_damaged_index_is_made_anew_and_does_not_hide_the_others(tmp_path: Path) -> None:
    library = tmp_path / "l"
    films = [write_video(tmp_path / f"{i}.mp4", render([shot])) for i, shot in enumerate(SHOTS[:2])]
    run_cli("index", tmp_path, "--library", library)
    shelf = Library(library)
    damaged = next(video for video in shelf.videos() if video.name == "0.mp4")
    import lance

    for table in ("entries_384", "exemplars_384"):
        lance.dataset(str(library / f"{table}.lance")).delete(f"generation = {damaged.generation}")
    done = run_cli("search", "a dog", "--library", library, "--json")
    assert {moment["video"] for moment in json.loads(done.stdout)["moments"]} == {str(films[1])}
    assert "0.mp4" in done.stderr
    assert run_cli("doctor", "--library", library).returncode == 1
    done = run_cli("index", tmp_path, "--library", library)
    assert "indexed in" in done.stderr
    assert run_cli("doctor", "--library", library).returncode == 0
    assert run_cli("scenes", films[0], "--library", library).returncode == 0

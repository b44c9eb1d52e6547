"""The strongest tool that is ready, slot by slot, why it was taken, and how it runs."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from graph_tools import LOUD, Modelled, Patient

from emer.graphs import components
from emer.graphs.ask import ask
from emer.graphs.components import choose
from emer.graphs.settings import PROFILES, Choice, load_settings
from emer.tools.errors import ConfigError
from emer.tools.registry import ranked, registered, slots
from emer.tools.runtime.device import configure, machine
from emer.tools.types import Param
from emer.tools.weights.catalogue import named
from emer.tools.weights.locate import target
from tests.fixtures.graph_runs import FAKES, events, trace_of


@pytest.fixture
def rivals(monkeypatch):
    """Have fakes compete for three slots."""
    table = {
        "face": (f"{FAKES}Weightless", f"{FAKES}Smile"),
        "expression": (f"{FAKES}Weightless",),
        "scene": (f"{FAKES}Weightless",),
        "caption": (f"{FAKES}Weightless",),
        "prosody": (f"{FAKES}Loud",),
        "voice": (f"{FAKES}Weightless",),
        "speech": (f"{FAKES}Weightless",),
        "ocr": (f"{FAKES}Weightless",),
    }
    monkeypatch.setattr(components, "ranked", lambda slot: table.get(slot, ()))


def test_the_strongest_that_is_ready_is_taken_and_said_why(rivals):
    ready = choose(load_settings(profile="auto"))
    uses = {slot: choice.use for slot, choice in ready.settings.active_tools.items()}
    assert uses == {"face": f"{FAKES}Smile", "prosody": f"{FAKES}Loud"}
    assert ready.reasons["face"] == (
        "smile is the strongest that is ready; graph_tools:Weightless needs the weights w (2 GB): "
        "emer models pull w"
    )
    assert ready.reasons["prosody"] == "loud is the only tool for it"
    assert ready.reasons["scene"].startswith("nothing: graph_tools:Weightless needs the weights w")


def test_what_the_user_named_stands_and_one_slot_alone_may_be_left_to_us(rivals):
    settings = load_settings(profile="auto", tools={"prosody": "none", "face": "a:B"})
    ready = choose(settings)
    assert {slot: c.use for slot, c in ready.settings.active_tools.items()} == {"face": "a:B"}
    assert set(ready.reasons) == {"expression", "scene", "caption", "voice", "speech", "ocr"}
    alone = choose(load_settings(profile="embedded", tools={"face": "auto"}))
    assert alone.settings.tools["face"].use == f"{FAKES}Smile" and set(alone.reasons) == {"face"}
    assert alone.settings.tools["scene"].use == "camera"


def test_arguments_go_to_whoever_is_taken(rivals):
    settings = load_settings(profile="auto")
    tools = {**settings.tools, "face": Choice(use="auto", amount=3)}
    ready = choose(settings.model_copy(update={"tools": tools}))
    assert ready.settings.tools["face"] == Choice(use=f"{FAKES}Smile", amount=3)


def put(*names: str) -> None:
    """Lay files where these weights belong."""
    for name in names:
        weights = named(name)
        path = target(weights)
        if weights.url is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"weights")
            continue
        path.mkdir(parents=True)
        for file in ("config.json", "tokenizer.json", *weights.files):
            (path / file.replace("*", "x")).write_bytes(b"{}")


def speech(**arguments: Param) -> tuple[Choice, str]:
    """Return what is taken for speech, and why."""
    settings = load_settings(tools={"speech": {"use": "auto", **arguments}})
    ready = choose(settings)
    return ready.settings.tools["speech"], ready.reasons["speech"]


needs_all = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("whisper", "faster_whisper", "transformers")),
    reason="whisper, faster-whisper and transformers are not all installed",
)


@pytest.fixture
def gpu(monkeypatch):
    """Have the machine report a GPU."""
    monkeypatch.setattr(components, "choose_device", lambda: "cuda:0")


@needs_all
@pytest.mark.parametrize(
    ("here", "taken"),
    [
        (["faster-whisper-tiny", "whisper-large-v3"], "whisper (large-v3)"),
        (["faster-whisper-tiny", "whisper-tiny"], "faster-whisper (tiny)"),
        (
            ["faster-whisper-medium", "asr-whisper-large-v3-turbo"],
            "asr (openai/whisper-large-v3-turbo)",
        ),
        (["whisper-large-v3-turbo", "asr-whisper-large-v3-turbo"], "whisper (large-v3-turbo)"),
        ([], "pocketsphinx"),
    ],
)
def test_a_larger_model_is_preferred_whichever_tool_runs_it(here, taken, gpu):
    configure(load_settings().machine)
    put(*here)
    choice, why = speech()
    assert why.startswith(f"{taken}") and choice.use == taken.split(" ")[0]
    weaker = {named(name).tool for name in here} - {choice.use}
    names = why.partition(", before ")[2].partition(";")[0]
    assert weaker == {name.split(" ")[0] for name in names.split(", ")} - {"pocketsphinx", ""}


SLOW = "is slow without a GPU: --tool speech="


@needs_all
@pytest.mark.parametrize(
    ("here", "taken", "slow"),
    [
        (["faster-whisper-base", "faster-whisper-large-v3"], "faster-whisper base", ""),
        (
            ["faster-whisper-small", "whisper-large-v3"],
            "faster-whisper",
            "whisper (large-v3, 3.1 GB)",
        ),
        (["whisper-medium"], "pocketsphinx", "whisper (medium, 1.5 GB)"),
        (["whisper-medium", "whisper-tiny.en"], "whisper tiny.en", ""),
    ],
)
def test_without_a_gpu_no_slow_model_is_taken(here, taken, slow, monkeypatch):
    monkeypatch.setattr(components, "choose_device", lambda: "cpu")
    configure(load_settings().machine)
    put(*here)
    choice, why = speech()
    assert " ".join([choice.use, *map(str, choice.arguments.values())]) == taken
    assert (f"{slow} {SLOW}" if slow else "strongest") in why
    monkeypatch.setattr(components, "choose_device", lambda: "mps")
    large = [w for w in map(named, here) if (w.megabytes or 0) > 1000]
    on_mps = [w for w in large if w.tool == "whisper"]
    assert (speech()[0].use == "whisper") is bool(on_mps or taken.startswith("whisper"))


@needs_all
def test_a_model_that_is_named_is_taken_however_slow(monkeypatch):
    monkeypatch.setattr(components, "choose_device", lambda: "cpu")
    configure(load_settings().machine)
    put("faster-whisper-base", "faster-whisper-large-v3")
    assert speech(model="large-v3")[0] == Choice(use="faster-whisper", model="large-v3")


def test_nobody_asks_for_a_gpu_where_no_model_is_large(monkeypatch):
    def never() -> str:
        raise AssertionError("torch is imported to tell")

    monkeypatch.setattr(components, "choose_device", never)
    configure(load_settings().machine)
    put("whisper-small", "face-landmarker")
    choose(load_settings())
    put("whisper-large-v3")
    choose(load_settings(device="cpu"))


def test_without_weights_auto_is_the_embedded_profile():
    auto, embedded = choose(load_settings()), load_settings(profile="embedded")
    assert auto.settings.profile == "auto"
    chosen = {slot: c for slot, c in auto.settings.active_tools.items() if slot != "ocr"}
    assert chosen == embedded.active_tools, "the weights of ocr come with its package"


def test_arguments_that_nothing_ready_takes_are_missing_evidence(run):
    loaded = components.load_components(
        load_settings(tools={"speech": {"use": "auto", "language": "de"}})
    )
    assert str(loaded.absent["speech"]) == (
        "slot speech needs a tool that is ready and takes language: emer doctor"
    )
    assert "expression" not in loaded.absent


@needs_all
def test_arguments_narrow_the_choice_to_the_tools_that_take_them():
    configure(load_settings().machine)
    choice, why = speech(language="de")
    assert choice.use == "none", "pocketsphinx hears English only"
    assert "tools.speech.language: PocketSphinx has no such argument" in why
    put("whisper-tiny", "faster-whisper-tiny")
    assert speech(language="de")[0] == Choice(use="faster-whisper", language="de")
    assert speech(dtype="float32")[0] == Choice(use="whisper", dtype="float32")


def test_an_argument_that_no_tool_takes_is_refused():
    with pytest.raises(ConfigError, match=r"tools\.speech\.langauge: .* no such argument; known: "):
        speech(langauge="de")


@needs_all
def test_a_file_of_the_user_s_goes_to_the_tool_that_can_load_it(tmp_path):
    mine = tmp_path / "mine.pt"
    mine.write_bytes(b"weights")
    assert speech(model=str(mine))[0] == Choice(use="whisper", model=str(mine))


def test_a_slot_of_the_user_s_own_has_no_auto():
    with pytest.raises(ConfigError, match=r"tools\.taste\.use: there is no auto for this slot"):
        choose(load_settings(tools={"taste": "auto"}))


def test_every_profile_names_tools_there_are():
    auto = load_settings(profile="auto").tools
    assert {slot: choice.use for slot, choice in auto.items()} == dict.fromkeys(slots(), "auto")
    assert list(PROFILES["auto"]) == list(slots()), "SLOTS of settings.py has them in this order"
    names = {use for uses in PROFILES.values() for use in uses.values()} - {"auto"}
    assert names <= set(registered()) and all(ranked(slot) for slot in slots())


def test_auto_is_read_from_file_and_environment(tmp_path, monkeypatch):
    file = tmp_path / "emer.toml"
    file.write_text(
        'profile = "auto"\ndevice = "cpu"\n[tools.face]\nuse = "mesh"\nmax_people = 2\n'
    )
    settings = load_settings(file)
    assert settings.tools["face"] == Choice(use="mesh", max_people=2)
    assert settings.tools["speech"].use == "auto" and settings.machine.device == "cpu"
    monkeypatch.setenv("EMER_DEVICE", "cuda:1")
    monkeypatch.setenv("EMER_TOOLS__SPEECH__USE", "none")
    settings = load_settings(file)
    assert settings.machine.device == "cuda:1" and "speech" not in settings.active_tools
    assert load_settings(file, device="mps").machine.device == "mps"
    with pytest.raises(ConfigError, match=r"settings: device .*; write auto, cpu, cuda"):
        load_settings(file, device="gpu")


def test_the_trace_says_what_was_taken_why_and_how_it_runs(rivals, clip_path):
    settings = load_settings(
        profile="auto", tools={"prosody": f"{FAKES}Modelled", "scene": "none", "speech": "none"}
    )
    settings = settings.model_copy(update={"reasoner": Choice(use=f"{FAKES}Plain")})
    answer = ask(clip_path, "What is displayed?", settings=settings)
    header = trace_of(answer).header
    assert header.chosen["face"].startswith("smile is the strongest that is ready")
    assert header.hardware == {"prosody": {"device": "cpu", "dtype": "float32", "batch": 4}}
    assert header.settings["device"] == "auto"


def test_the_settings_reach_the_process_s_models(run):
    run(prosody="Modelled", change={"device": "cpu", "model_memory": 2.5, "offline": True})
    found = machine()
    assert (found.device, found.model_memory, found.offline) == ("cpu", 2.5, True)


def test_what_a_tool_notes_is_in_the_trace_and_told_once(run):
    answer = run(prosody="Modelled")
    (done,) = events(answer, "tool_finished")
    note = "cpu has no memory for 4 at a time; went on with 2"
    assert done.notes == (note,) and [c.text for c in done.clues] == [LOUD[0]]
    assert f"loud: {note}" in answer.notes
    again = run(prosody="Modelled")
    assert not [n for n in again.notes if "no memory" in n]


def test_a_tool_whose_time_is_up_hears_of_it(run):
    Patient.ended.clear()
    answer = run(face="Smile", scene="Patient", change={"tool_seconds": 0.2})
    assert "no result within 0.2 s" in str(events(answer, "tool_failed")[0].cause)
    assert Patient.ended.wait(10)


def test_weights_that_are_missing_are_missing_evidence_with_the_command(run):
    answer = run(face="Smile", scene="Weightless")
    (missing,) = [m for m in answer.explanation.missing if m.modality == "scene"]
    assert missing.why == (
        "weightless is not ready: it needs the weights w (2 GB) (emer models pull w)"
    )


def test_loading_is_the_doctor_s_business_not_the_header_s(run):
    before = Modelled.loads
    run(prosody="Modelled")
    assert Modelled.loads == before


def test_what_a_device_cannot_do_is_refused_before_a_trace_is_begun(run):
    with pytest.raises(ConfigError, match="device cuda:77 is not there"):
        run(prosody="Modelled", change={"device": "cuda:77"})
    assert not [*load_settings().traces.glob("*.jsonl")]


def test_a_slot_of_one_s_own_that_is_not_ready_is_missing_evidence_too(run):
    tools = {"mine": Choice(use="captioner"), "face": Choice(use=f"{FAKES}Smile")}
    answer = run(change={"tools": tools})
    assert [m.modality for m in answer.explanation.missing if "captioner" in m.why] == ["scene"]

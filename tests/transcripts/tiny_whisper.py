"""A Whisper of one layer with random weights in CTranslate2's format, and something like speech."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np

_RATE = 16_000
# Two resonances of the mouth for each of four vowels, Hz.
_VOWELS = ((700, 1200), (300, 2300), (500, 900), (400, 1900))


def write_tiny_whisper(folder: Path) -> Path:
    """The folder of a model that faster-whisper loads; it hears, but understands nothing."""
    import torch
    from ctranslate2.converters import TransformersConverter
    from faster_whisper.tokenizer import _LANGUAGE_CODES
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    source = folder / "source"
    source.mkdir(parents=True)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = Tokenizer(models.BPE(vocab={own: n for n, own in enumerate(letters)}, merges=[]))
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.decoder = decoders.ByteLevel()
    languages = [f"<|{code}|>" for code in _LANGUAGE_CODES]
    special = ["endoftext", "startoftranscript", *_LANGUAGE_CODES, "translate", "transcribe",
               "startoflm", "startofprev", "nospeech", "notimestamps"]  # fmt: skip
    tokens.add_special_tokens([AddedToken(f"<|{own}|>", special=True) for own in special])
    tokens.add_tokens([AddedToken(f"<|{step * 0.02:.2f}|>") for step in range(1501)])
    tokens.save(str(source / "tokenizer.json"))
    end = tokens.token_to_id("<|endoftext|>")
    torch.manual_seed(0)
    model = WhisperForConditionalGeneration(
        WhisperConfig(
            vocab_size=tokens.get_vocab_size(), d_model=64, num_mel_bins=80,
            encoder_layers=1, decoder_layers=1,
            encoder_attention_heads=2, decoder_attention_heads=2,
            encoder_ffn_dim=128, decoder_ffn_dim=128,
            pad_token_id=end, bos_token_id=end, eos_token_id=end,
            decoder_start_token_id=tokens.token_to_id("<|startoftranscript|>"),
        )
    )  # fmt: skip
    generation = model.generation_config
    generation.alignment_heads = [[0, 0]]
    generation.lang_to_id = {own: tokens.token_to_id(own) for own in languages}
    generation.suppress_tokens = generation.begin_suppress_tokens = []
    generation.no_timestamps_token_id = tokens.token_to_id("<|notimestamps|>")
    model.save_pretrained(source)
    (source / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<|endoftext|>"})
    )
    (source / "preprocessor_config.json").write_text(
        json.dumps(
            {
                "feature_size": 80,
                "sampling_rate": _RATE,
                "hop_length": 160,
                "chunk_length": 30,
                "n_fft": 400,
            }
        )
    )
    made = folder / "model"
    TransformersConverter(
        str(source), copy_files=["tokenizer.json", "preprocessor_config.json"]
    ).convert(str(made))
    return made


def write_vowels(path: Path, seconds: float = 8.0) -> Path:
    """Vowels sung at a wavering pitch: enough for a detector of voices to hear one."""
    times = np.arange(int(_RATE * seconds)) / _RATE
    pitch = 120 + 20 * np.sin(2 * np.pi * 0.7 * times)
    turns = np.cumsum(pitch) / _RATE
    syllable = (times / 0.4).astype(int)
    sound = np.zeros(len(times))
    for harmonic in range(1, 30):
        loudness = np.zeros(len(times))
        for number, resonances in enumerate(_VOWELS):
            own = sum(
                1 / (1 + ((harmonic * pitch - centre) / 60) ** 2) for centre in (*resonances, 2600)
            )
            loudness = np.where(syllable % len(_VOWELS) == number, own, loudness)
        sound += loudness / harmonic**0.5 * np.sin(2 * np.pi * harmonic * turns)
    sound *= np.sin(np.pi * (times / 0.4 % 1)) ** 0.5
    pressure = (sound / np.abs(sound).max() * 0.7 * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(pressure.tobytes())
    return path

"""Out of memory, in the words of each library, and where it happens. The errors are simulated: there is no GPU here."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from curation.errors import InosukeError
from tests.train.conftest import Project
from train.model.out_of_memory import NoMemoryLeft, halving, is_out_of_memory

Make = Callable[..., Project]


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 6 GiB"),
        torch.OutOfMemoryError("Allocation on device 0"),
        RuntimeError("CUDA error: out of memory\nCompile with `TORCH_USE_CUDA_DSA` to enable device-side assertions."),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:119] . DefaultCPUAllocator: can't allocate memory: you tried to"),
        RuntimeError("[enforce fail] data. DefaultCPUAllocator: not enough memory: you tried to allocate 4 bytes."),
        RuntimeError("std::bad_alloc"),
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("Error: The paging file is too small for this operation to complete. (os error 1455)"),
    ],
    ids=str,
)
def test_every_wording_of_out_of_memory_is_known(error: Exception) -> None:
    assert is_out_of_memory(error)
    outer = ValueError("the weights cannot be read")
    outer.__cause__ = error
    assert is_out_of_memory(outer)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        RuntimeError("CUDA error: device-side assert triggered"),
        OSError(errno.ENOSPC, "No space left on device"),
        InosukeError("out of memory in step 3, with one row in a batch."),
        KeyboardInterrupt(),
    ],
    ids=str,
)
def test_other_errors_are_not_taken_for_it(error: BaseException) -> None:
    assert not is_out_of_memory(error)


def test_work_is_tried_with_half_as_much_until_it_fits() -> None:
    tried: list[int] = []

    def work(size: int) -> str:
        tried.append(size)
        if size > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return "done"

    assert halving(13, work) == "done"
    assert tried == [13, 6, 3]
    with pytest.raises(NoMemoryLeft):
        halving(2, lambda size: work(13))
    with pytest.raises(ZeroDivisionError):
        halving(2, lambda size: size // 0)


def test_a_device_that_is_full_while_a_base_is_loaded(trainer: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import AutoModelForCausalLM

    def full(*args: Any, **kwargs: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 594.00 MiB")

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", full)
    project = trainer()
    with pytest.raises(InosukeError, match=r"out of memory while tiny-qwen2 was loaded \(nf4, fp32\)\. .* GB are free"):
        project.train(recipe=project.recipe(), run="r")


def test_a_device_that_is_full_while_weights_are_quantised(trainer: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """transformers only logs that error and raises another one, which does not tell what happened."""
    import bitsandbytes.functional

    def full(*args: Any, **kwargs: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 22.00 MiB")

    monkeypatch.setattr(bitsandbytes.functional, "quantize_4bit", full)
    project = trainer()
    with pytest.raises(InosukeError, match=r"out of memory while tiny-qwen2 was loaded"):
        project.train(recipe=project.recipe(), run="r")


def test_a_disk_that_fills_while_a_base_is_fetched(trainer: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import AutoModelForCausalLM

    def full(*args: Any, **kwargs: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", full)
    project = trainer()
    with pytest.raises(InosukeError, match=r"tiny-qwen2: No space left on device while .* Free some disk space"):
        project.train(recipe=project.recipe(), run="r")


@pytest.mark.parametrize("rank", [0, 1])
def test_each_process_loads_its_base_on_its_own_gpu(
    tiny_base: Path, monkeypatch: pytest.MonkeyPatch, rank: int
) -> None:
    from transformers import AutoModelForCausalLM

    from train.model.base_model import BaseModel
    from train.model.load import load_base
    from train.recipe import Recipe

    asked: dict[str, Any] = {}
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", str(2 + rank))  # the second of two machines
    monkeypatch.setenv("LOCAL_RANK", str(rank))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    real = AutoModelForCausalLM.from_pretrained

    def on_cpu(name: str, **options: Any) -> Any:
        asked.update(options)
        return real(name, **options | {"device_map": {"": "cpu"}})

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", on_cpu)
    load_base(
        BaseModel("t", str(tiny_base), None, "folder"),
        Recipe(name="t", base="t", quantization="none", precision="bf16"),
    )
    assert asked["device_map"] == {"": rank}


def test_a_t4_trains_in_fp16_because_its_bf16_is_emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    from train.model.load import device

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "_check_bf16_tensor_supported", lambda device: True)
    for major, real in ((7, False), (8, True)):
        monkeypatch.setattr(
            torch.cuda, "get_device_properties", lambda device, major=major: SimpleNamespace(major=major, minor=5)
        )
        assert torch.cuda.is_bf16_supported()  # what torch says by default
        assert device().has_bf16 is real


def test_in_fp16_what_passes_between_layers_is_fp32(tiny_base: Path) -> None:
    """Gemma 3 and some Qwen models overflow in fp16; weights in 4 bits are still multiplied in fp16."""
    from train.model.base_model import BaseModel
    from train.model.load import load_base
    from train.recipe import Recipe

    base = BaseModel("t", str(tiny_base), None, "folder")
    model = load_base(base, Recipe(name="t", base="t", quantization="nf4", precision="fp16"))
    seen: dict[str, torch.dtype] = {}
    model.model.layers[0].register_forward_hook(
        lambda m, i, out: seen.update(layer=(out[0] if isinstance(out, tuple) else out).dtype)
    )
    with torch.no_grad():
        assert model(torch.tensor([[1, 2, 3]])).logits.isfinite().all()
    assert seen["layer"] == torch.float32
    assert model.model.layers[0].mlp.up_proj.weight.quant_state.dtype == torch.float16
    assert model.model.layers[0].mlp.up_proj.compute_dtype == torch.float16

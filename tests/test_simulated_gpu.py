"""The device that stands in for a GPU where there is none: right numbers, and CUDA's refusals."""

from __future__ import annotations

import pytest

from tests.fixtures.packages import needs

pytestmark = [needs("torch"), pytest.mark.slow]


def test_it_computes_what_the_cpu_computes_and_says_where():
    import torch

    from tests.fixtures.simulated_gpu import far_device

    with far_device() as gpu:
        layer = torch.nn.Linear(3, 2).to(gpu)
        inputs = torch.arange(6.0).reshape(2, 3)
        found = layer(inputs.to(gpu))
        assert str(found.device) == gpu and found.is_cuda
        expected = inputs @ layer.weight.held.T + layer.bias.held
        assert found.cpu().tolist() == expected.tolist()
        found[found > found.mean()] = 0
        expected[expected > expected.mean()] = 0
        assert found.cpu().tolist() == expected.tolist()
        assert torch.ones(2, device=gpu).sum().item() == 2


def test_it_refuses_what_a_gpu_refuses():
    import torch

    from tests.fixtures.simulated_gpu import Elsewhere, far_device

    with far_device() as gpu:
        far, near = torch.ones(3, device=gpu), torch.ones(3)
        with pytest.raises(Elsewhere, match="add"):
            far + near
        with pytest.raises(Elsewhere):
            torch.nn.Linear(3, 2)(far)
        with pytest.raises(Elsewhere):
            far[[0, 1]] = near[:2]
        with pytest.raises(TypeError, match="numpy"):
            far.numpy()
        assert (far + torch.tensor(1.0)).tolist() == [2, 2, 2]  # a single number may come along
        assert far[torch.tensor([0, 1])].tolist() == [1, 1]  # and so may indices
        with pytest.raises(RuntimeError):
            torch.nn.Linear(3, 2).to(gpu)(far.half())  # two precisions do not meet either

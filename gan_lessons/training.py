"""Algorithm 1 of Goodfellow et al. (2014): `Trainer.step()` is one round of the game."""

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.distributions import Distribution
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

from gan_lessons import guards, losses
from gan_lessons.checkpoints import Checkpointed
from gan_lessons.guards import own_randomness, uninterrupted
from gan_lessons.losses import Loss
from gan_lessons.optimizers import adam

CHECK_EVERY = 100  # steps between two tests for nan and infinity
LEAST_GRADIENT = 1e-20  # far below what D's weights can notice, far above what a float32 loses


class Record(NamedTuple):
    """What one round measured, before the updates: detached 0-d tensors, so that nothing has to wait for a GPU."""

    loss_d: Tensor | None = None
    loss_g: Tensor | None = None
    d_real: Tensor | None = None  # mean D(x)
    d_fake: Tensor | None = None  # mean D(G(z))


def stack(history: Iterable[Record]) -> Record:
    """A history of rounds as one Record of tensors of shape (steps,), on the CPU: what `plots` draws.

    What a round did not measure, such as D(x) under a loss without probability, stays None.
    """
    columns = zip(*history, strict=True)
    return Record(*(None if None in column else torch.stack(column).cpu() for column in columns))


class Trainer(Checkpointed):
    """Two players and the game between them. Arguments that do not fit raise ValueError.

    generator: latent (n, ...) -> fakes of the data's shape; discriminator: x -> one raw output each, (n,) or (n, 1).
    data, latent: where x and z come from, anything with `.sample((n,))`. loss: what each player minimises.
    k: discriminator steps per generator step, 0 = D frozen; lr_d, lr_g: learning rates; batch_size: m of Algorithm 1.
    optimizer(params, lr): makes a torch optimiser. steps: length of the schedule; decay(fraction of it) -> factor on
    both rates. average: decay of an exponential moving average of G, taken each round. r1: weight gamma of
    `losses.r1_penalty` in D's loss, not in its record. order: "alternating", as in Algorithm 1, or "simultaneous", both
    gradients at the same (G, D). seed: of every minibatch and dropout mask on the CPU. device: "auto" takes CUDA, MPS,
    CPU, in this order.

    k, lr_d, lr_g and batch_size can be assigned at any moment; the optimisers keep their moments. Same seed and thread
    count, same run on the CPU. An interrupt arrives after a round. Divergence raises FloatingPointError.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        data: Any,
        *,
        latent: Distribution,
        loss: Loss = losses.non_saturating,
        k: int = 1,
        lr_d: float,
        lr_g: float,
        batch_size: int,
        optimizer: Callable[..., Optimizer] = adam,
        steps: int | None = None,
        decay: Callable[[float], float] | None = None,
        average: float | None = None,
        r1: float = 0.0,
        order: str = "alternating",
        seed: int = 0,
        device: str = "auto",
    ):
        if order not in ("alternating", "simultaneous"):
            raise ValueError(f"order: got {order!r}; allowed are 'alternating' and 'simultaneous'")
        if decay is not None and steps is None:
            raise ValueError("steps: got None; a decay needs the length of its schedule")
        if not isinstance(loss, Loss):
            raise ValueError(f"loss: got {loss!r}; it must be one of gan_lessons.losses, such as losses.non_saturating")
        if average is not None and not (isinstance(average, float) and 0 < average < 1):
            raise ValueError(f"average: got {average!r}; a decay must be between 0 and 1, or None")
        self.order, self.loss, self.decay, self.seed = order, loss, decay, seed
        self.r1 = guards.setting("r1", r1, order)
        self.steps = steps if steps is None else guards.count("steps", steps, least=1)
        self.k, self.lr_d, self.lr_g, self.batch_size = k, lr_d, lr_g, batch_size
        self.device = guards.device(device)
        self.generator, self.discriminator = generator.to(self.device), discriminator.to(self.device)
        self.data, self.latent = data.to(self.device) if hasattr(data, "to") else data, latent
        self._judges_each_alone = guards.check_players(
            self.generator, self.discriminator, self.data, latent, self.device, order
        )
        self.optimizer_d = optimizer(discriminator.parameters(), lr_d)
        self.optimizer_g = optimizer(generator.parameters(), lr_g)
        self.averaged = None
        if average is not None:
            self.averaged = AveragedModel(generator, multi_avg_fn=get_ema_multi_avg_fn(average))
        self._rng_state = guards.rng_state(seed)
        self.steps_done, self.record = 0, Record()
        self._last_good = copy.deepcopy(self.state_dict())

    # -- Algorithm 1 ---------------------------------------------------------------------------------------------------

    @uninterrupted()
    def step(self) -> Record:
        """One round of Algorithm 1: k turns of D, each on fresh minibatches, then one of G."""
        for _ in self.turns():
            pass
        return self.record

    def turns(self) -> Iterator[int]:
        """The same round one player's turn at a time, yielding after each of D's turns how many it has had.

        G's turn ends the round. k counts as it is at that moment; a round left unfinished changes no later one.
        """
        if self.order == "simultaneous":
            self._simultaneous_step()
        else:
            turn = 0
            while turn < self.k:
                self.discriminator_step()
                turn += 1
                yield turn
            if self.k == 0:
                self.discriminator_step(learn=False)  # D is frozen, and only watches
            self.generator_step()
        self.steps_done += 1
        if self.steps_done % CHECK_EVERY == 0:
            self.check_finite()
            self._last_good = copy.deepcopy(self.state_dict())

    @own_randomness
    def discriminator_step(self, *, learn: bool = True) -> Record:
        """D's turn: tell data from fakes, and climb the value function."""
        x_real = self._minibatch(self.data)  # (m, ...)
        z = self._minibatch(self.latent)  # (m, ...)
        x_fake = self.generator(z).detach()  # it is D's turn: nothing flows back into G
        out_real, out_fake, penalty = self._judge(x_real, x_fake)  # (m,), (m,), scalar
        loss = self.loss.discriminator(out_real, out_fake)
        if learn:
            self._descend(self.optimizer_d, self.lr_d, loss + penalty)
        return self._note(loss_d=loss, **self._probabilities(out_real, out_fake))

    @own_randomness
    def generator_step(self) -> Record:
        """G's turn: make fakes, and move so that D takes them for data."""
        z = self._minibatch(self.latent)
        out_fake = self.discriminator(self.generator(z))  # (m,)
        out_real = self.discriminator(self._minibatch(self.data)) if self.loss.needs_real else None
        loss = self.loss.generator(out_real, out_fake)
        self._descend(self.optimizer_g, self.lr_g, loss)  # through D, but only G's weights move
        if self.averaged:
            self.averaged.update_parameters(self.generator)
        return self._note(loss_g=loss)

    @own_randomness
    def _simultaneous_step(self) -> Record:
        """Both players move from the same (G, D), on the same fakes, as the authors' own code did: one pass through D.

        In D's raw output l_i on fake x_i, D's loss has the gradient a_i = dL_D/dl_i and G's loss b_i = dL_G/dl_i. D
        judges each x by itself, and the backward pass is linear, so D's loss has the gradient a_i dl_i/dx_i at x_i. G
        needs b_i dl_i/dx_i, the same times b_i / a_i: one backward pass serves both. Where a_i rounds to 0,
        LEAST_GRADIENT keeps the ratio finite. It needs k = 1 and a D without batch norm or packs
        (`guards.check_players`). In Algorithm 1 G answers the D that has just moved: lesson 06 shows the difference.
        """
        x_real = self._minibatch(self.data)  # (m, ...)
        x_fake = self.generator(self._minibatch(self.latent))  # (m, ...)
        x = torch.cat([x_real, x_fake.detach()]).requires_grad_()  # (2 m, ...)
        out = self.discriminator(x)  # (2 m,)
        out_real, out_fake = (half.requires_grad_() for half in out.detach().chunk(2))  # (m,) each
        loss_d = self.loss.discriminator(out_real, out_fake)
        loss_g = self.loss.generator(out_real, out_fake)
        a_real, a_fake = torch.autograd.grad(loss_d, [out_real, out_fake])  # (m,) each
        (b,) = torch.autograd.grad(loss_g, out_fake)  # (m,)
        a_fake = torch.where(a_fake.abs() < LEAST_GRADIENT, LEAST_GRADIENT, a_fake)
        self._descend(self.optimizer_d, self.lr_d, out, torch.cat([a_real, a_fake]), x)
        ratio = (b / a_fake).view(-1, *[1] * (x.dim() - 1))  # (m, 1, ...)
        self._descend(self.optimizer_g, self.lr_g, x_fake, x.grad[len(x_real) :] * ratio)  # of D before its move
        if self.averaged:
            self.averaged.update_parameters(self.generator)
        return self._note(loss_d=loss_d, loss_g=loss_g, **self._probabilities(out_real, out_fake))

    def _judge(self, x_real: Tensor, x_fake: Tensor) -> tuple[Tensor, Tensor, Tensor | float]:
        """D's raw outputs on both, and the penalty R1 if there is one.

        Points and images go through D in one call, unless it compares samples: twice the rows, better matrix products.
        """
        if self.r1:
            x_real = x_real.detach().requires_grad_()
            out_real = self.discriminator(x_real)
            return out_real, self.discriminator(x_fake), self.r1 * losses.r1_penalty(out_real, x_real)
        if self._judges_each_alone and x_real.dim() > 1:
            return *self.discriminator(torch.cat([x_real, x_fake])).chunk(2), 0.0
        return self.discriminator(x_real), self.discriminator(x_fake), 0.0

    def _minibatch(self, source: Any) -> Tensor:
        return source.sample((self.batch_size,)).to(self.device)

    def _descend(
        self, optimizer: Optimizer, lr: float, out: Tensor, gradient: Tensor | None = None, *inputs: Tensor
    ) -> None:
        """One step of a player's optimiser. out: its loss; or D's raw outputs, with the loss's gradient in them."""
        optimizer.zero_grad()
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        out.backward(gradient, inputs=[*weights, *inputs])  # the other player's gradients are not computed
        factor = self.decay(min(self.steps_done / self.steps, 1.0)) if self.decay else 1.0
        for group in optimizer.param_groups:
            group["lr"] = lr * factor
        optimizer.step()

    def _probabilities(self, out_real: Tensor, out_fake: Tensor) -> dict[str, Tensor]:
        if self.loss.probability is None:
            return {}
        return {"d_real": self.loss.probability(out_real), "d_fake": self.loss.probability(out_fake)}

    def _note(self, **measured: Tensor) -> Record:
        self.record = self.record._replace(**{name: value.detach().mean() for name, value in measured.items()})
        return self.record

    def run(self, steps: int | None = None) -> Iterator[Record]:
        """Play so many rounds, or without steps what is left of the schedule, yielding a Record after each."""
        if steps is None and self.steps is None:
            raise ValueError("steps: got None, and this trainer has no schedule; say how many, as in run(1000)")
        steps = max(self.steps - self.steps_done, 0) if steps is None else guards.count("steps", steps, least=0)
        return (self.step() for _ in range(steps))

    def sample(self, n: int, average: bool = False) -> Tensor:
        """n fakes, from G or from its moving average, in eval mode, without gradient.

        Draws from torch's global generator: looking does not disturb training, and torch.manual_seed repeats a look.
        """
        if average and self.averaged is None:
            raise ValueError("average: got True; this trainer keeps no average, build it with average=0.999")
        n = guards.count("n", n, least=1)
        G = self.averaged.module if average else self.generator
        if average:  # averaged weights need batch-norm statistics of their own (Izmailov et al. 2018, section 3.2)
            with guards.seeded(self.seed):
                update_bn((self.latent.sample((100,)).to(self.device) for _ in range(10)), G)
        training = G.training
        try:
            with torch.no_grad():
                return G.eval()(self.latent.sample((n,)).to(self.device))
        finally:
            G.train(training)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, guards.setting(name, value, order=self.__dict__.get("order")))

"""Algorithm 1 of Goodfellow et al. (2014): `Trainer.step()` is one round of the game."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution
from torch.optim import Optimizer
from torch.optim.swa_utils import update_bn

from gan_lessons import arguments, devices, graphs, guards, losses
from gan_lessons.checkpoints import Checkpointed
from gan_lessons.guards import own_randomness, uninterrupted
from gan_lessons.losses import Loss
from gan_lessons.optimizers import MovingAverage, adam
from gan_lessons.players import check_player, check_players
from gan_lessons.records import Record, Recorder
from gan_lessons.records import stack as stack

CHECK_EVERY = 100  # steps between two tests for nan and infinity; on CUDA, which has to be waited for, 10 times that
LEAST_GRADIENT = 1e-20  # far below what D's weights can notice, far above what a float32 loses


class Trainer(Checkpointed):
    """Two players and the game between them. Arguments that do not fit raise ValueError.

    generator: latent (n, ...) -> fakes of the data's shape; discriminator: x -> one raw output each, (n,) or (n, 1).
    data, latent: where x and z come from, anything with `.sample((n,))`, drawn on the device if it can be; for data an
    array or a tensor (n, ...) will do. loss: what each player minimises.
    k: discriminator steps per generator step, 0 = D frozen; lr_d, lr_g: learning rates; batch_size: m of Algorithm 1.
    optimizer(params, lr): makes a torch optimiser. steps: length of the schedule; decay(fraction of it) -> factor on
    both rates. average: decay of an exponential moving average of G, taken each round. r1, r2: weights of
    `losses.r1_penalty` and `losses.r2_penalty` in D's loss, not in its record; penalty_every: rounds from one penalty
    to the next, which weighs as many times as much (Karras et al. 2020b). order: "alternating", as in Algorithm 1, or
    "simultaneous", both gradients at the same (G, D). seed: of minibatches and dropout. device: "auto": CUDA, MPS, CPU.

    `guards.SETTINGS` looks at each setting, here and when it is assigned, at any moment: k, lr_d, lr_g, batch_size, r1,
    r2, penalty_every, loss, data, latent, steps, decay, optimizer_d, optimizer_g; all else is refused. Optimisers keep
    their moments. Same seed and thread count, same run on the CPU. An interrupt arrives after a round. Divergence
    raises FloatingPointError. On CUDA a turn becomes a graph (`graphs.Captured`).
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
        r2: float = 0.0,
        penalty_every: int = 1,
        order: str = "alternating",
        seed: int = 0,
        device: str = "auto",
    ):
        given = {"data": data, "latent": latent, "loss": loss, "k": k, "lr_d": lr_d, "lr_g": lr_g, "steps": steps}
        given |= {"batch_size": batch_size, "decay": decay, "order": order, "seed": seed}
        given |= {"r1": r1, "r2": r2, "penalty_every": penalty_every}
        for name, value in given.items():
            setattr(self, name, value)
        guards.check_together(**given)
        average = guards.setting("average", average)
        self.device = devices.choose(device)
        self.generator = check_player("generator", generator).to(self.device)
        self.discriminator = check_player("discriminator", discriminator).to(self.device)
        self._meet(data=self.data, latent=self.latent)
        arguments.function("optimizer", optimizer, "(params, lr) -> a torch.optim.Optimizer")
        self.optimizer_d = optimizer(discriminator.parameters(), self.lr_d)
        self.optimizer_g = optimizer(generator.parameters(), self.lr_g)
        self.averaged = average and MovingAverage(generator, average)
        self._random_states = devices.random_states(self.seed, self.device)
        self._captured = graphs.Captured() if self.device.type == "cuda" else None
        self.steps_done, self._recorder = 0, Recorder()
        self._last_good = copy.deepcopy(self.state_dict())

    def __setattr__(self, name: str, value: Any) -> None:
        """Look at a value before anything changes; refuse what no trainer has, and what is fixed once it is made."""
        value = value if name.startswith("_") else guards.assignable(self, name, value)
        if name in ("data", "latent", "loss") and guards.is_made(self):
            try:
                self._meet(**{name: value})
            except ValueError as error:
                raise ValueError(f"{name}: does not fit the players: {error}") from error
        else:
            super().__setattr__(name, value)

    def _meet(self, **new: Any) -> None:
        """Let the players try new data, a new latent or loss, and take them. Sources are drawn from on the device."""
        D, now = self.discriminator, vars(self) | new
        dtype = next(D.parameters()).dtype
        drawn = {name: devices.moved(now[name], self.device, dtype) for name in ("data", "latent")}
        two = {name: lambda one=one: one.sample((2,)).to(self.device, dtype) for name, one in drawn.items()}
        self._judges_each_alone = check_players(self.generator, D, two, now["loss"], self.order)
        self._sources, self._dtype = drawn, dtype
        vars(self).update({name: devices.moved(value, devices.CPU, dtype) for name, value in new.items()})

    # -- Algorithm 1 ---------------------------------------------------------------------------------------------------

    @uninterrupted()
    def step(self) -> Record:
        """One round of Algorithm 1: k turns of D, each on fresh minibatches, then one of G."""
        for _ in self.turns():
            pass
        return self.record

    def turns(self) -> Iterator[int]:
        """The same round one player's turn at a time, yielding after each of D's turns how many it has had.

        G's turn ends the round. k counts as it is at that moment; a round left unfinished changes no later one. Raises
        ValueError where a schedule is over at whose end both rates are 0.
        """
        if self.decay and self.steps_done >= self.steps and not self.decay(1.0):
            raise ValueError(
                f"steps: the schedule of {self.steps} is over, and its decay has brought both rates to 0, so nothing "
                "would move; give .steps a larger number, or make .decay None"
            )
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
        if self.steps_done % (10 * CHECK_EVERY if self._captured else CHECK_EVERY) == 0:
            self.check_finite()
            self._last_good = copy.deepcopy(self.state_dict())

    @own_randomness
    def discriminator_step(self, *, learn: bool = True) -> Record:
        """D's turn: tell data from fakes, and climb the value function."""
        x_real = self._minibatch("data")  # (m, ...)
        z = self._minibatch("latent")  # (m, ...)
        x_fake = self.generator(z).detach()  # it is D's turn: nothing flows back into G
        out_real, out_fake, penalty = self._judge(x_real, x_fake)  # (m,), (m,), scalar
        loss = self.loss.discriminator(out_real, out_fake)
        if learn:
            self._descend(self.optimizer_d, self.lr_d, loss + penalty)
        return self._recorder.note(loss_d=loss, **self._probabilities(out_real, out_fake))

    @own_randomness
    def generator_step(self) -> Record:
        """G's turn: make fakes, and move so that D takes them for data."""
        z = self._minibatch("latent")
        out_fake = self.discriminator(self.generator(z))  # (m,)
        out_real = self.discriminator(self._minibatch("data")) if self.loss.needs_real else None
        loss = self.loss.generator(out_real, out_fake)
        self._descend(self.optimizer_g, self.lr_g, loss)  # through D, but only G's weights move
        if self.averaged:
            self.averaged.update_parameters(self.generator)
        return self._recorder.note(loss_g=loss)

    @own_randomness
    def _simultaneous_step(self) -> Record:
        """Both players move from the same (G, D), on the same fakes, as the authors' own code did: one pass through D.

        In D's raw output l_i on fake x_i, D's loss has the gradient a_i = dL_D/dl_i and G's loss b_i = dL_G/dl_i. D
        judges each x by itself, so D's loss has the gradient a_i dl_i/dx_i at x_i. G needs b_i dl_i/dx_i, the same
        times b_i / a_i: one backward pass serves both. LEAST_GRADIENT keeps the ratio finite where a_i rounds to 0.
        """
        x_real = self._minibatch("data")  # (m, ...)
        x_fake = self.generator(self._minibatch("latent"))  # (m, ...)
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
        return self._recorder.note(loss_d=loss_d, loss_g=loss_g, **self._probabilities(out_real, out_fake))

    def _judge(self, x_real: Tensor, x_fake: Tensor) -> tuple[Tensor, Tensor, Tensor | float]:
        """D's raw outputs on both, and the penalties R1 and R2 if it is time for them."""
        if self._penalty_is_due():
            out_real, out_fake, penalty = losses.penalised(self.discriminator, x_real, x_fake, self.r1, self.r2)
            return out_real, out_fake, self.penalty_every * penalty
        if self._judges_each_alone and x_real.dim() > 1:  # points and images: one larger matrix product is faster
            return *self.discriminator(torch.cat([x_real, x_fake])).chunk(2), 0.0
        return self.discriminator(x_real), self.discriminator(x_fake), 0.0

    def _penalty_is_due(self) -> bool:
        return bool(self.r1 or self.r2) and self.steps_done % self.penalty_every == 0

    def _minibatch(self, source: str, n: int | None = None) -> Tensor:
        return devices.drawn(self._sources[source], (n or self.batch_size,), self.device).to(self.device, self._dtype)

    def _descend(self, optimizer: Optimizer, lr: float, out: Tensor, slope: Tensor | None = None, *inputs: Tensor):
        """One step of a player's optimiser. out: its loss; or D's raw outputs, with the loss's slope in them."""
        optimizer.zero_grad()
        weights = [weight for group in optimizer.param_groups for weight in group["params"] if weight.requires_grad]
        out.backward(slope, inputs=[*weights, *inputs])  # the other player's gradients are not computed
        for group in optimizer.param_groups:
            group["lr"] = self._rate(lr)
        optimizer.step()

    def _rate(self, lr: float) -> float:
        return lr * float(self.decay(min(self.steps_done / self.steps, 1.0))) if self.decay else lr

    def _probabilities(self, out_real: Tensor, out_fake: Tensor) -> dict[str, Tensor | None]:
        probability = self.loss.probability or (lambda out: None)
        return {"d_real": probability(out_real), "d_fake": probability(out_fake)}

    @property
    def record(self) -> Record:
        """What the last round measured."""
        return self._recorder.last

    def run(self, steps: int | None = None) -> Iterator[Record]:
        """Play so many rounds, or without steps what is left of the schedule, yielding a Record after each."""
        if steps is None and self.steps is None:
            raise ValueError("steps: got None, and this trainer has no schedule; say how many, as in run(1000)")
        steps = max(self.steps - self.steps_done, 0) if steps is None else arguments.count("steps", steps)
        return (self.step() for _ in range(steps))

    def sample(self, n: int, average: bool = False) -> Tensor:
        """n fakes, from G or from its moving average, in eval mode, without gradient.

        Draws from torch's global generator: looking does not disturb training, and torch.manual_seed repeats a look.
        """
        if average and self.averaged is None:
            raise ValueError("average: got True; this trainer keeps no average, build it with average=0.999")
        n = arguments.count("n", n, least=1)
        G = self.averaged.module if average else self.generator
        with torch.no_grad(), guards.evaluating(G):
            if average:  # its weights need batch-norm statistics of their own (Izmailov et al. 2018, section 3.2)
                with devices.seeded(self.seed, self.device):
                    update_bn((self._minibatch("latent", 100) for _ in range(10)), G)
            return G(self._minibatch("latent", n))

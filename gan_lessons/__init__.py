"""Understand generative adversarial networks by watching them train.

A GAN is a game, and `Trainer.step()` is one round of Algorithm 1 of Goodfellow et al. (2014). Data and noise go in at
the bottom, players and losses meet in the trainer, and everything else only looks: at numbers (theory, metrics) or at
pictures (plots).
"""

from gan_lessons import data, losses, metrics, models, pretrained, recipes, theory
from gan_lessons.training import Trainer

__all__ = ["Trainer", "data", "losses", "metrics", "models", "pretrained", "recipes", "theory"]

import xml.etree.ElementTree as ET

import numpy as np
import torch

from gan_lessons.views import through


def test_shares_are_counted_as_numpy_does():
    x = torch.rand(1000, generator=torch.Generator().manual_seed(0)) * 50 - 5
    counts, _ = np.histogram(x.numpy(), 35, (0, 35))
    assert torch.allclose(through.shares(x, 35.0, 35), torch.from_numpy(counts).float() / 1000, atol=0.0011)


def test_a_picture_is_well_formed_and_its_piles_lie_where_g_sends_z():
    z = torch.rand(1000)
    text = through.picture(lambda z: torch.where(z < 0.5, 5.5, 20.5), z, 10 + z, 35.0, "percent", "words & more")
    root = ET.fromstring(text)
    assert "words & more" in "".join(root.itertext())
    green = [it.get("d") for it in root.iter() if it.get("fill") == through.GREEN and it.tag.endswith("path")]
    rows = green[-1].split("z")[:-1]
    long = [i for i, row in enumerate(rows) if float(row.split("h")[1].split("v")[0]) > 1]
    assert long == [5, 20]

"""Writes the golden files of this folder: PyTorch's results, for comparison by the C tests.

    python3 make_golden.py [--output DIR]

ops.safetensors      cases `conv.0.x`, ...: one operation each, NCHW. Inputs x, w, b, dy are float32; results y, dx,
                     dw, db, ... are PyTorch's in float64 from those inputs. Metadata key `conv.0` has the case's
                     parameters as JSON, with `f32_error`: the relative L2 error of PyTorch's float32 results.
                     Metadata key `conv` has the number of cases of that kind.
unet_w8.safetensors  (size 48, C = 2), unet_w4.safetensors (size 45: odd sizes at all levels; C = 5),
                     linknet_w8.safetensors (size 44: its decoders crop; C = 2), deeplabv3_w8.safetensors (size 45; C = 3):
                     images u8 [N, S, S, 3], labels u8 [N, S, S]; with formula.py's weights: eval_logits (eval mode);
                     loss and gradients of the first batch in training mode (`dnorm.NAME` of every parameter, `d.NAME`
                     of the small ones); adam_f64: ten CE values of Adam at lr 0.003 over the whole batch, each before
                     its update. Metadata `case`: parameters as JSON, with `f32_gradient_error`, the float32 error of the
                     whole gradient (without biases before BN), and `f32_adam_error`, that of the ten CE values, both
                     with oneDNN on and off; the latter from three starts each that differ in the last bit, because a
                     single run of a chaotic process may be an exception.
ARCH_HEIGHTxWIDTH.safetensors  rectangles, in a short form: images and labels are those of formula_batch and `salt`;
                     eval_logits f32: every LOGIT_STEP-th value, in the order [N, H, W, C]; loss; `dnorm.NAME`: a
                     gradient's norm and its projection, the sum of d_i u("projection NAME", i).
optim.safetensors    50 steps of optimisers with their schedules, on four small parameters of given gradients: CASE.lr
                     [50] and CASE.PARAMETER [steps kept, ...], float64, after the steps STEPS_KEPT. Metadata CASE: the
                     settings as JSON, with `f32_error`, the relative L2 error of float32's movement from the initial
                     weights.
nearest.safetensors  index tables `IN_OUT` int64 [OUT] of interpolate(mode="nearest").
Inputs come from formula.py and not from torch's generators, so that they are the same with every version.
"""
import argparse
from dataclasses import replace
import json
import os
from unittest import mock

import numpy as np
import torch
from torch.nn import functional as F

from formula import fill_state, integers, uniform
from reference import ARCHS, Training, biases_before_norm, make_optimizer, make_schedule, resize
import safetensors_io


def relative_error(value, exact):
    """Relative L2 error of numbers, arrays or tensors."""
    value, exact = (np.asarray(v, dtype=np.float64) for v in (value, exact))
    return float(np.linalg.norm(value - exact) / max(np.linalg.norm(exact), 1e-300))


# ---- single operations ----------------------------------------------------------------------------------------------


class Cases:
    """Collection of cases: inputs by formula, results in float64, parameters with the error of float32."""

    def __init__(self):
        self.tensors, self.metadata, self.counts = {}, {}, {}

    def add(self, kind, parameters, shapes, function, scale=1.0, offset=0.0, given=None):
        """Adds a case of function({input: tensor}) -> {result: tensor}. `given`: inputs other than scale u + offset."""
        index = self.counts.get(kind, 0)
        self.counts[kind] = index + 1
        case = f"{kind}.{index}"
        inputs = {name: (scale * uniform(f"{case}.{name}", shape) + offset).astype(np.float32)
                  for name, shape in shapes.items()}
        inputs.update(given or {})

        def results(dtype):
            tensors = {k: torch.from_numpy(v.copy()) for k, v in inputs.items()}
            tensors = {k: v.to(dtype) if v.is_floating_point() else v for k, v in tensors.items()}
            return {k: v.detach().numpy() for k, v in function(tensors).items()}

        exact, single = results(torch.float64), results(torch.float32)
        errors = {name: relative_error(single[name], exact[name]) for name in exact}
        self.tensors.update({f"{case}.{name}": array for name, array in {**inputs, **exact}.items()})
        self.metadata[case] = json.dumps(dict(parameters, f32_error=errors))

    def save(self, path):
        counts = {kind: str(count) for kind, count in self.counts.items()}
        safetensors_io.save(path, self.tensors, {**counts, **self.metadata})


def with_gradients(function, inputs, wanted):
    """Returns {y, d<input>...} of y = function(inputs), for the output gradient inputs["dy"] (not for a scalar y)."""
    for name in wanted:
        inputs[name].requires_grad_(True)
    y = function(inputs)
    y.backward(inputs.get("dy"))
    return {"y": y, **{"d" + name: inputs[name].grad for name in wanted}}


def add_convolutions(cases):
    # n, c, h, w, k, kernel, stride, pad, dilation
    table = [(2, 3, 9, 7, 16, 3, 1, 1, 1), (1, 1, 5, 6, 1, 3, 1, 1, 1), (1, 16, 8, 6, 17, 3, 1, 1, 1),
             (1, 17, 7, 9, 3, 3, 1, 1, 1), (2, 16, 4, 5, 17, 1, 1, 0, 1), (1, 17, 4, 4, 2, 1, 1, 0, 1),
             (2, 3, 17, 15, 4, 7, 2, 3, 1), (1, 4, 9, 8, 5, 3, 2, 1, 1), (2, 5, 9, 9, 6, 1, 2, 0, 1),
             (1, 3, 11, 10, 4, 3, 1, 2, 2), (1, 4, 7, 7, 3, 3, 1, 6, 6), (1, 2, 1, 1, 3, 3, 1, 1, 1)]
    for n, c, h, w, k, kernel, stride, pad, dilation in table:
        out_h, out_w = ((size + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1 for size in (h, w))
        cases.add("conv", dict(n=n, c=c, h=h, w=w, k=k, kernel=kernel, stride=stride, pad=pad, dilation=dilation),
                  dict(x=(n, c, h, w), w=(k, c, kernel, kernel), b=(k,), dy=(n, k, out_h, out_w)),
                  lambda t, s=stride, p=pad, d=dilation: with_gradients(
                      lambda t: F.conv2d(t["x"], t["w"], t["b"], s, p, d), t, "xwb"))


def add_transposed_convolutions(cases):
    # n, c, h, w, k, kernel, stride, pad, output_pad; weights are [in, out, kernel, kernel]
    table = [(1, 3, 5, 4, 16, 3, 2, 1, 1), (1, 17, 6, 5, 3, 3, 1, 1, 0), (2, 4, 3, 5, 2, 2, 2, 0, 0)]
    for n, c, h, w, k, kernel, stride, pad, output_pad in table:
        out_h, out_w = ((size - 1) * stride - 2 * pad + kernel + output_pad for size in (h, w))
        cases.add("conv_transpose",
                  dict(n=n, c=c, h=h, w=w, k=k, kernel=kernel, stride=stride, pad=pad, output_pad=output_pad),
                  dict(x=(n, c, h, w), w=(c, k, kernel, kernel), b=(k,), dy=(n, k, out_h, out_w)),
                  lambda t, s=stride, p=pad, o=output_pad: with_gradients(
                      lambda t: F.conv_transpose2d(t["x"], t["w"], t["b"], s, p, o), t, "xwb"))


def add_batch_norms(cases):
    """w, b and running statistics are inputs; in training, mean_after and var_after are the new ones (momentum 0.1,
    unbiased variance). The mean of the third case is 100 times its stddev: E[x^2] - E[x]^2 would fail."""
    def norm(t, training):
        mean, var = t["running_mean"].clone(), t["running_var"].clone()
        if not training:
            return {"y": F.batch_norm(t["x"], mean, var, t["w"], t["b"])}
        results = with_gradients(lambda t: F.batch_norm(t["x"], mean, var, t["w"], t["b"], training=True), t, "xwb")
        return {**results, "mean_after": mean, "var_after": var}

    for n, c, h, w, scale, offset in [(2, 3, 5, 7, 1, 0), (1, 1, 4, 4, 1, 0), (2, 17, 4, 5, 1, 57), (4, 16, 1, 1, 1, 0),
                                      (2, 1, 33, 31, 3, -1)]:
        x = scale * uniform(f"bn.x.{n}{c}{h}{w}", (n, c, h, w)) + offset
        var = 1 + 0.3 * np.abs(uniform(f"bn.var.{n}{c}{h}{w}", (c,)))
        given = dict(x=x.astype(np.float32), running_var=var.astype(np.float32))
        for kind, training in (("bn_train", True), ("bn_eval", False)):
            shapes = dict(w=(c,), b=(c,), running_mean=(c,), **(dict(dy=(n, c, h, w)) if training else {}))
            cases.add(kind, dict(n=n, c=c, h=h, w=w, eps=1e-5, momentum=0.1), shapes,
                      lambda t, training=training: norm(t, training), given=given)


def add_pools(cases):
    """Small integers give ties in most windows: the first maximum of a window, in row order, gets the gradient. Padding
    never wins, even against negative values."""
    for n, c, h, w, kernel, stride, pad in [(2, 3, 6, 8, 2, 2, 0), (1, 2, 7, 5, 2, 2, 0), (1, 17, 9, 8, 3, 2, 1),
                                            (1, 1, 6, 7, 3, 2, 1)]:
        x = integers(f"pool.x.{n}{c}{h}{w}", (n, c, h, w), 3).astype(np.float32) - 3
        out_h, out_w = ((size + 2 * pad - kernel) // stride + 1 for size in (h, w))
        cases.add("maxpool", dict(n=n, c=c, h=h, w=w, kernel=kernel, stride=stride, pad=pad),
                  dict(dy=(n, c, out_h, out_w)),
                  lambda t, k=kernel, s=stride, p=pad: with_gradients(lambda t: F.max_pool2d(t["x"], k, s, p), t, "x"),
                  given=dict(x=x))


def add_upsamples(cases):
    """Cases with twice the size, and with sizes that are not multiples."""
    for n, c, h, w, out_h, out_w in [(2, 3, 4, 5, 8, 10), (1, 17, 1, 3, 2, 6), (1, 1, 7, 6, 50, 45)]:
        cases.add("upsample", dict(n=n, c=c, h=h, w=w, out_h=out_h, out_w=out_w),
                  dict(x=(n, c, h, w), dy=(n, c, out_h, out_w)),
                  lambda t, size=(out_h, out_w): with_gradients(lambda t: F.interpolate(t["x"], size=size), t, "x"))


def add_cross_entropies(cases):
    """y is the mean over pixels. Logits of +-1000 must not overflow."""
    for n, c, h, w, scale in [(2, 2, 5, 7, 3), (1, 5, 4, 4, 1), (3, 12, 3, 5, 30), (1, 2, 6, 6, 1000)]:
        labels = integers(f"ce.labels.{n}{c}{h}{w}", (n, h, w), c)
        cases.add("cross_entropy", dict(n=n, c=c, h=h, w=w), dict(x=(n, c, h, w)),
                  lambda t: with_gradients(lambda t: F.cross_entropy(t["x"], t["labels"].long()), t, "x"),
                  scale=scale, given=dict(labels=labels))


# ---- whole networks -------------------------------------------------------------------------------------------------


def formula_network(arch, classes, width, dtype):
    model = ARCHS[arch](classes, width)
    state = fill_state({name: tuple(tensor.shape) for name, tensor in model.state_dict().items()})
    model.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
    return model.to(dtype)


def kink_margin(model, x):
    """Smallest distance of a ReLU's input from zero, in training mode. Below float32's error (about 1e-6) two correct
    programs may be on different sides of the kink, and their gradients then differ by 1e-3 instead of 1e-6."""
    margins = []

    def relu(x, inplace=False):
        margins.append(x.abs().min().item())
        return torch.relu(x)

    with torch.no_grad(), mock.patch.object(F, "relu", relu):
        model.train()(x)
    return min(margins)


def formula_batch(name, classes, extent, count):
    """images u8 [count, height, width, 3] and labels u8 [count, height, width] in blocks of 5 x 5."""
    height, width = extent
    images = integers(f"{name}.images", (count, height, width, 3), 256)
    labels = integers(f"{name}.labels", (count, height // 5 + 1, width // 5 + 1), classes)
    return images, labels.repeat(5, 1).repeat(5, 2)[:, :height, :width]


def to_tensors(images, labels):
    return torch.from_numpy(images).permute(0, 3, 1, 2).float().contiguous() / 255, torch.from_numpy(labels).long()


def gradients(model, x, y):
    """(loss, {parameter: gradient}) in training mode."""
    model.train()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    return loss.item(), {name: p.grad.double().numpy() for name, p in model.named_parameters()}


def adam_losses(model, x, y, nudge=0, count=10):
    """CE values before each step. nudge > 0 changes the initial weights by the last bit of float32, up, down or not."""
    model.train()
    if nudge:
        for name, p in model.named_parameters():
            steps = torch.from_numpy(integers(f"nudge {nudge}.{name}", tuple(p.shape), 3)).to(p.dtype) - 1
            p.data *= 1 + 2.0 ** -23 * steps
    optimizer = make_optimizer(Training(), model.parameters())
    losses = []
    for _ in range(count):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.array(losses)


def whole_gradient(grads, skip):
    return np.concatenate([g.ravel() for name, g in grads.items() if name not in skip])


def choose_batch(arch, classes, width, extent, count, margin=8e-6):
    """(salt, images, labels) of the first batch on which float32 and float64 agree in every ReLU, with a margin."""
    for salt in range(100):
        images, labels = formula_batch(f"{arch}.{salt}", classes, extent, count)
        model = formula_network(arch, classes, width, torch.float64)
        if kink_margin(model, to_tensors(images, labels)[0].double()) > margin:
            return salt, images, labels
    raise RuntimeError(f"no batch keeps every ReLU input {margin} away from zero; lower the margin")


def write_network(path, arch, classes, width, size, count=2, small=300):
    def network(dtype):
        return formula_network(arch, classes, width, dtype)

    salt, images, labels = choose_batch(arch, classes, width, (size, size), count)
    x, y = to_tensors(images, labels)
    with torch.no_grad():
        logits = network(torch.float64).eval()(x.double())
        logits_f32 = network(torch.float32).eval()(x)
    loss, exact = gradients(network(torch.float64), x.double(), y)
    skip = biases_before_norm(network(torch.float32))
    errors, adam, adam_errors = [], adam_losses(network(torch.float64), x.double(), y), []
    for onednn in (True, False):
        with torch.backends.mkldnn.flags(enabled=onednn):
            grads = gradients(network(torch.float32), x, y)[1]
            errors.append(relative_error(whole_gradient(grads, skip), whole_gradient(exact, skip)))
            adam_errors += [relative_error(adam_losses(network(torch.float32), x, y, k), adam) for k in range(3)]

    tensors = {"images": images, "labels": labels, "eval_logits": logits.numpy(), "loss": np.array(loss),
               "adam_f64": adam}
    tensors.update({"dnorm." + name: np.array(np.linalg.norm(g)) for name, g in exact.items()})
    tensors.update({"d." + name: g for name, g in exact.items() if g.size <= small and name not in skip})
    case = dict(arch=arch, classes=classes, width=width, size=size, count=count, lr=3e-3, salt=salt,
                f32_logits_error=relative_error(logits_f32, logits), f32_gradient_error=errors,
                f32_adam_error=adam_errors,
                biases_before_norm=sorted(skip))
    safetensors_io.save(path, tensors, {"case": json.dumps(case)})


LOGIT_STEP = 41  # divides no number of classes and no side


def write_rectangle(path, arch, extent, classes, width, count):
    salt, images, labels = choose_batch(arch, classes, width, extent, count)
    x, y = to_tensors(images, labels)
    model = formula_network(arch, classes, width, torch.float64)
    with torch.no_grad():
        logits = model.eval()(x.double()).permute(0, 2, 3, 1).numpy()
    loss, exact = gradients(model, x.double(), y)
    skip = biases_before_norm(model)
    tensors = {"eval_logits": logits.ravel()[::LOGIT_STEP].astype(np.float32), "loss": np.array(loss)}
    tensors.update({"dnorm." + name: np.array([np.linalg.norm(g), np.sum(g * uniform(f"projection {name}", g.shape))])
                    for name, g in exact.items() if name not in skip})
    case = dict(arch=arch, classes=classes, width=width, count=count, salt=salt, biases_before_norm=sorted(skip))
    safetensors_io.save(path, tensors, {"case": json.dumps(case)})


# ---- optimisers -----------------------------------------------------------------------------------------------------

STEPS, STEPS_KEPT = 50, (1, 2, 5, 10, 20, 50)
OPTIM_SHAPES = {"conv.weight": (5, 3, 3, 3), "conv.bias": (5,), "bn.weight": (5,), "bn.bias": (5,)}
OPTIM_CASES = {
    "adam": Training(optimizer="adam", weight_decay=0.01, schedule="step", lr=0.01),
    "adamw": Training(optimizer="adamw", weight_decay=0.05, schedule="cosine", lr=0.01),
    "adamw_clip": Training(optimizer="adamw", weight_decay=0.05, schedule="poly", lr=0.01, clip_norm=0.5),
    "sgd": Training(optimizer="sgd", schedule="constant", lr=0.02),
    "momentum": Training(optimizer="sgd", momentum=0.9, weight_decay=0.01, schedule="cosine", lr=0.02),
    "momentum_clip": Training(optimizer="sgd", momentum=0.9, schedule="poly", lr=0.05, power=2.0, clip_norm=1.0),
}


def optimizer_steps(training, dtype):
    """Learning rate of each step, and the parameters before the first and after each kept step. Gradients are u times
    1, 0.01 or 3 in turn, so that some are clipped."""
    first = {name: torch.from_numpy(uniform(name, shape)).float() for name, shape in OPTIM_SHAPES.items()}
    parameters = {name: value.to(dtype, copy=True).requires_grad_(True) for name, value in first.items()}
    optimizer = make_optimizer(training, parameters.values())
    schedule = make_schedule(training, optimizer)
    rates, kept = [], [first]
    for step in range(1, STEPS + 1):
        for name, p in parameters.items():
            u = uniform(f"{step}.{name}", p.shape).astype(np.float32) * np.float32((3, 1, 0.01)[step % 3])
            p.grad = torch.from_numpy(u).to(dtype)
        if training.clip_norm > 0:
            torch.nn.utils.clip_grad_norm_(parameters.values(), training.clip_norm)
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
        if step in STEPS_KEPT:
            kept.append({name: p.detach().clone() for name, p in parameters.items()})
    return rates, {name: torch.stack([k[name].double() for k in kept]).numpy() for name in parameters}


def write_optim(path):
    tensors, metadata = {}, {"steps": json.dumps(STEPS_KEPT)}
    for case, training in OPTIM_CASES.items():
        training = replace(training, epochs=STEPS)
        rates, exact = optimizer_steps(training, torch.float64)
        single = optimizer_steps(training, torch.float32)[1]
        ways = [np.concatenate([(v[1:] - v[:1]).ravel() for v in values.values()]) for values in (single, exact)]
        tensors[f"{case}.lr"] = np.array(rates)
        tensors.update({f"{case}.{name}": value[1:] for name, value in exact.items()})
        metadata[case] = json.dumps(dict(vars(training), f32_error=relative_error(*ways)))
    safetensors_io.save(path, tensors, metadata)


# ---- nearest --------------------------------------------------------------------------------------------------------


def write_nearest(path):
    pairs = [(45, 48), (61, 48), (200, 48), (500, 224), (224, 224), (1, 7), (7, 1), (1023, 224), (48, 45), (48, 61)]
    tables = {}
    for size, out in pairs:
        ramp = np.broadcast_to(np.arange(size)[:, None, None], (size, size, 1))
        tables[f"{size}_{out}"] = resize(ramp, (out, out))[0, :, 0].numpy().astype(np.int64)
    safetensors_io.save(path, tables)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", default=os.path.dirname(os.path.abspath(__file__)))
    output = parser.parse_args().output
    torch.set_num_threads(1)  # else the order of float32 sums, and so the last digits, would depend on the machine
    cases = Cases()
    for add in (add_convolutions, add_transposed_convolutions, add_batch_norms, add_pools, add_upsamples,
                add_cross_entropies):
        add(cases)
    cases.save(os.path.join(output, "ops.safetensors"))
    for arch, keys in (("unet", dict(classes=2, width=8, size=48)), ("unet", dict(classes=5, width=4, size=45)),
                       ("linknet", dict(classes=2, width=8, size=44)),
                       ("deeplabv3", dict(classes=3, width=8, size=45, count=4))):
        write_network(os.path.join(output, f"{arch}_w{keys['width']}.safetensors"), arch, **keys)
    for arch, odd, keys in (("unet", (45, 61), dict(classes=2, width=4, count=1)),
                            ("linknet", (44, 60), dict(classes=2, width=8, count=2)),  # multiples of 4 only
                            ("deeplabv3", (45, 61), dict(classes=3, width=4, count=4))):
        for height, width in ((96, 160), odd):
            write_rectangle(os.path.join(output, f"{arch}_{height}x{width}.safetensors"), arch, (height, width), **keys)
    write_optim(os.path.join(output, "optim.safetensors"))
    write_nearest(os.path.join(output, "nearest.safetensors"))


if __name__ == "__main__":
    main()

"""Reference networks in PyTorch, with the reference's state-dict names, without torchvision.

UNet(C) at width 64 has 17,267,458 parameters at C = 2. `width` scales every channel count except the 3 of the image and
C by width / 64. Layers are initialised as in the reference: PyTorch's defaults, but kaiming_normal(fan_out, relu) for
the convolutions of torchvision's resnet18 (LinkNet's in_block and encoders, DeepLab's resnet.resnet.*).
A network maps images [N, 3, H, W] to logits [N, C, H, W].
"""
import torch
from torch import nn
from torch.nn import functional as F


def resize_nearest(x, height, width):
    """F.interpolate(mode="nearest") with float32's index arithmetic for any dtype of x: float64 rounds some indices
    differently, and the float64 network must be the same function as the float32 one."""
    def index(size, out):
        ramp = torch.arange(size, dtype=torch.float32).reshape(1, 1, 1, size)
        return F.interpolate(ramp, size=(1, out), mode="nearest").long().flatten()
    return x[:, :, index(x.shape[2], height)][:, :, :, index(x.shape[3], width)]


def fit(x, skip):
    """Pads x with zeros, or crops it, to the skip's height and width; left/top = floor(difference / 2)."""
    dy, dx = skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]
    return F.pad(x, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])


def conv_bn_relu(conv):
    return nn.Sequential(conv, nn.BatchNorm2d(conv.out_channels), nn.ReLU())


# ---- UNet -----------------------------------------------------------------------------------------------------------

class DoubleConv(nn.Module):
    def __init__(self, i, o, m=None):
        super().__init__()
        m = m or o
        self.double_conv = nn.Sequential(nn.Conv2d(i, m, 3, padding=1), nn.BatchNorm2d(m), nn.ReLU(),
                                         nn.Conv2d(m, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU())

    def forward(self, x):
        return self.double_conv(x)


class Down(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), DoubleConv(i, o))

    def forward(self, x):
        return self.maxpool_conv(x)


class Up(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.conv = DoubleConv(i, o, i // 2)

    def forward(self, deep, skip):
        deep = resize_nearest(deep, 2 * deep.shape[2], 2 * deep.shape[3])
        return self.conv(torch.cat([skip, fit(deep, skip)], dim=1))


class UNet(nn.Module):
    def __init__(self, classes, width=64):
        super().__init__()
        w = width
        self.inp = DoubleConv(3, w)
        self.down1, self.down2 = Down(w, 2 * w), Down(2 * w, 4 * w)
        self.down3, self.down4 = Down(4 * w, 8 * w), Down(8 * w, 8 * w)
        self.up1, self.up2 = Up(16 * w, 4 * w), Up(8 * w, 2 * w)
        self.up3, self.up4 = Up(4 * w, w), Up(2 * w, w)
        self.out = nn.Conv2d(w, classes, 1)

    def forward(self, x):
        x1 = self.inp(x)
        x2 = self.down1(x1)
        x3 = self.down2(x2)
        x4 = self.down3(x3)
        x = self.up1(self.down4(x4), x4)
        return self.out(self.up4(self.up3(self.up2(x, x3), x2), x1))


# ---- parts of ResNet-18 ---------------------------------------------------------------------------------------------

class BasicBlock(nn.Module):
    def __init__(self, i, o, stride=1, dilation=1):
        super().__init__()
        self.conv1 = nn.Conv2d(i, o, 3, stride, padding=dilation, dilation=dilation, bias=False)
        self.bn1 = nn.BatchNorm2d(o)
        self.conv2 = nn.Conv2d(o, o, 3, padding=dilation, dilation=dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(o)
        self.downsample = None
        if stride != 1 or i != o:
            self.downsample = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


def layer(i, o, stride=1, dilation=1):
    return nn.Sequential(BasicBlock(i, o, stride, dilation), BasicBlock(o, o, 1, dilation))


def stem(w):
    """7x7 stride 2, BN, ReLU, 3x3 stride 2 max pool; output of a quarter of the input's size."""
    return [nn.Conv2d(3, w, 7, 2, padding=3, bias=False), nn.BatchNorm2d(w), nn.ReLU(), nn.MaxPool2d(3, 2, padding=1)]


def init_as_torchvision(*parts):
    for part in parts:
        for module in part.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


# ---- LinkNet --------------------------------------------------------------------------------------------------------

class Decoder(nn.Module):
    def __init__(self, i, o, stride, output_padding):
        super().__init__()
        q = i // 4
        self.conv1 = conv_bn_relu(nn.Conv2d(i, q, 1, bias=False))
        self.tp_conv = conv_bn_relu(nn.ConvTranspose2d(q, q, 3, stride, 1, output_padding, bias=False))
        self.conv2 = conv_bn_relu(nn.Conv2d(q, o, 1, bias=False))

    def forward(self, x, skip):
        # Padding or cropping precedes conv2, so that its batch statistics include the padding.
        return skip + self.conv2(fit(self.tp_conv(self.conv1(x)), skip))


class LinkNet(nn.Module):
    def __init__(self, classes, width=64):
        super().__init__()
        w = width
        self.in_block = nn.Sequential(*stem(w))
        self.encoder1, self.encoder2 = layer(w, w), layer(w, 2 * w, 2)
        self.encoder3, self.encoder4 = layer(2 * w, 4 * w, 2), layer(4 * w, 8 * w, 2)
        self.decoder1, self.decoder2 = Decoder(w, w, 1, 0), Decoder(2 * w, w, 2, 1)
        self.decoder3, self.decoder4 = Decoder(4 * w, 2 * w, 2, 1), Decoder(8 * w, 4 * w, 2, 1)
        self.tp_conv1 = conv_bn_relu(nn.ConvTranspose2d(w, w // 2, 3, 2, 1, 1))
        self.conv2 = conv_bn_relu(nn.Conv2d(w // 2, w // 2, 3, padding=1))
        self.tp_conv2 = nn.ConvTranspose2d(w // 2, classes, 2, 2)
        init_as_torchvision(self.in_block, self.encoder1, self.encoder2, self.encoder3, self.encoder4)

    def forward(self, x):
        if x.shape[2] % 4 or x.shape[3] % 4:
            raise ValueError("LinkNet takes multiples of 4 only: other sizes would not come back out")
        x = self.in_block(x)
        e1 = self.encoder1(x)
        e2 = self.encoder2(e1)
        e3 = self.encoder3(e2)
        d3 = self.decoder4(self.encoder4(e3), e3)
        d1 = self.decoder2(self.decoder3(d3, e2), e1)
        return self.tp_conv2(self.conv2(self.tp_conv1(self.decoder1(d1, x))))


# ---- DeepLabV3 ------------------------------------------------------------------------------------------------------

class ResNetStride8(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.resnet = nn.Sequential(*stem(w), layer(w, w), layer(w, 2 * w, 2))
        init_as_torchvision(self.resnet)
        self.layer4 = layer(2 * w, 4 * w, dilation=2)
        self.layer5 = layer(4 * w, 8 * w, dilation=4)

    def forward(self, x):
        return self.layer5(self.layer4(self.resnet(x)))


class ASPP(nn.Module):
    def __init__(self, w, classes):
        super().__init__()
        i, o = 8 * w, 4 * w
        convs = {"conv_1x1_1": nn.Conv2d(i, o, 1), "conv_1x1_2": nn.Conv2d(i, o, 1),
                 "conv_1x1_3": nn.Conv2d(5 * o, o, 1)}
        for j, rate in enumerate([6, 12, 18], 1):
            convs[f"conv_3x3_{j}"] = nn.Conv2d(i, o, 3, padding=rate, dilation=rate)
        for name, conv in convs.items():
            setattr(self, name, conv)
            setattr(self, "bn_" + name, nn.BatchNorm2d(o))
        self.conv_1x1_4 = nn.Conv2d(o, classes, 1)

    def unit(self, name, x):
        return F.relu(getattr(self, "bn_" + name)(getattr(self, name)(x)))

    def forward(self, x):
        branches = [self.unit(name, x) for name in ("conv_1x1_1", "conv_3x3_1", "conv_3x3_2", "conv_3x3_3")]
        pooled = self.unit("conv_1x1_2", x.mean(dim=(2, 3), keepdim=True))
        branches.append(pooled.expand(-1, -1, *x.shape[2:]))
        return self.conv_1x1_4(self.unit("conv_1x1_3", torch.cat(branches, dim=1)))


class DeepLabV3(nn.Module):
    def __init__(self, classes, width=64):
        super().__init__()
        self.resnet = ResNetStride8(width)
        self.aspp = ASPP(width, classes)

    def forward(self, x):
        return resize_nearest(self.aspp(self.resnet(x)), *x.shape[2:])


ARCHS = {"unet": UNet, "linknet": LinkNet, "deeplabv3": DeepLabV3}


def count_parameters(model):
    return sum(p.numel() for p in model.parameters())


def biases_before_norm(model):
    """Names of the biases of convolutions directly before BN. BN subtracts the mean, so their true gradient is zero and
    the computed one is rounding noise."""
    modules = dict(model.named_modules())
    names = set()
    for name, module in modules.items():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)) and module.bias is not None:
            parent, _, last = name.rpartition(".")
            follower = str(int(last) + 1) if last.isdigit() else "bn_" + last
            if isinstance(modules.get(f"{parent}.{follower}"), nn.BatchNorm2d):
                names.add(name + ".bias")
    return names

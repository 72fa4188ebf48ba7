/* DICOM reader, through DCMTK: single and multi-frame files, uncompressed, RLE, JPEG and JPEG-LS. One frame is decoded
 * at a time. DCMTK's log is off, because its messages hold values of the file. No exception leaves this file. */
#include "src/data/formats/dicom.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>
#include <dcmtk/oflog/oflog.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

namespace {

const int MAX_SLICES = 65535, MAX_PIXELS = 1 << 28;

struct Fault {
    const char *text;
};

void require(bool holds, const char *fault) {
    if (!holds) throw Fault{fault};
}

void start_library() {
    static std::once_flag once;
    std::call_once(once, [] {
        OFLog::configure(OFLogger::OFF_LOG_LEVEL);
        DcmRLEDecoderRegistration::registerCodecs();
        DJDecoderRegistration::registerCodecs(EDC_photometricInterpretation, EUC_never, EPC_colorByPixel);
        DJLSDecoderRegistration::registerCodecs(EJLSUC_never, EJLSPC_colorByPixel);
    });
}

/* ---- header ---------------------------------------------------------------------------------------------------- */

int number(DcmItem &item, const DcmTagKey &tag, int otherwise) {
    Uint16 value;
    return item.findAndGetUint16(tag, value).good() ? value : otherwise;
}

bool real(DcmItem &item, const DcmTagKey &tag, unsigned long i, double &value) {
    Float64 found;
    if (item.findAndGetFloat64(tag, found, i).bad() || !std::isfinite(found)) return false;
    value = found;
    return true;
}

struct Header {
    int rows, columns, samples, frames, allocated, stored, high;
    bool is_signed, planar, palette;
    OFString colours; /* photometric interpretation */
    E_TransferSyntax syntax;
    double slope, intercept;
    DcmItem *lookup; /* modality LUT; NULL: none */
};

bool is_lossless(E_TransferSyntax syntax) {
    switch (syntax) {
    case EXS_JPEGProcess14:
    case EXS_JPEGProcess14SV1:
    case EXS_JPEGLSLossless:
    case EXS_JPEG2000LosslessOnly:
    case EXS_RLELossless:
        return true;
    default:
        return !DcmXfer(syntax).isEncapsulated();
    }
}

void load(DcmFileFormat &file, const char *path) {
    require(file.loadFile(OFFilename(path)).good(), "it cannot be parsed");
    require(file.getDataset() != NULL, "it holds no data set");
}

Header read_header(DcmDataset &data) {
    Header h = Header();
    Sint32 frames = 1;
    h.rows = number(data, DCM_Rows, 0);
    h.columns = number(data, DCM_Columns, 0);
    h.samples = number(data, DCM_SamplesPerPixel, 1);
    h.allocated = number(data, DCM_BitsAllocated, 0);
    h.stored = number(data, DCM_BitsStored, h.allocated);
    h.high = number(data, DCM_HighBit, h.stored - 1);
    h.is_signed = number(data, DCM_PixelRepresentation, 0) == 1;
    h.planar = number(data, DCM_PlanarConfiguration, 0) == 1;
    h.syntax = data.getOriginalXfer();
    data.findAndGetOFString(DCM_PhotometricInterpretation, h.colours);
    if (data.findAndGetSint32(DCM_NumberOfFrames, frames).bad() || frames < 1) frames = 1;
    require(h.rows > 0 && h.columns > 0, "it holds no image");
    require((long long)h.rows * h.columns <= MAX_PIXELS, "it declares too many pixels");
    require(frames <= MAX_SLICES, "it has more than 65535 frames");
    require(h.allocated == 1 || h.allocated == 8 || h.allocated == 16 || h.allocated == 32,
            "its samples have no usual depth");
    require(h.stored >= 1 && h.stored <= h.allocated && h.high < h.allocated && h.high + 1 >= h.stored,
            "the depth of its samples is contradictory");
    require(h.samples == 1 || (h.samples == 3 && h.allocated % 8 == 0 && h.allocated < 32),
            "it shows neither grey values nor three colours");
    h.frames = frames;
    h.palette = h.samples == 1 && h.colours == "PALETTE COLOR";
    h.slope = 1;
    if (h.samples == 3 || h.palette) return h;
    if (data.findAndGetSequenceItem(DCM_ModalityLUTSequence, h.lookup, 0).bad()) h.lookup = NULL;
    real(data, DCM_RescaleSlope, 0, h.slope);
    real(data, DCM_RescaleIntercept, 0, h.intercept);
    return h;
}

/* Distances between rows and between columns, mm. */
void read_spacing(DcmDataset &data, double spacing[2]) {
    DcmItem *item = NULL, *measures = NULL;
    const DcmTagKey tags[] = {DCM_PixelSpacing, DCM_ImagerPixelSpacing};
    for (int i = 0; i < 2 && !(spacing[0] > 0); ++i)
        if (!real(data, tags[i], 0, spacing[0]) || !real(data, tags[i], 1, spacing[1])) spacing[0] = spacing[1] = 0;
    if (!(spacing[0] > 0) && data.findAndGetSequenceItem(DCM_SharedFunctionalGroupsSequence, item, 0).good() &&
        item->findAndGetSequenceItem(DCM_PixelMeasuresSequence, measures, 0).good() &&
        !(real(*measures, DCM_PixelSpacing, 0, spacing[0]) && real(*measures, DCM_PixelSpacing, 1, spacing[1])))
        spacing[0] = spacing[1] = 0;
    const int CM = 3;
    if (!(spacing[0] > 0) && data.findAndGetSequenceItem(DCM_SequenceOfUltrasoundRegions, item, 0).good() &&
        number(*item, DCM_PhysicalUnitsXDirection, 0) == CM && number(*item, DCM_PhysicalUnitsYDirection, 0) == CM &&
        real(*item, DCM_PhysicalDeltaY, 0, spacing[0]) && real(*item, DCM_PhysicalDeltaX, 0, spacing[1]))
        for (int i = 0; i < 2; ++i) spacing[i] = 10 * std::fabs(spacing[i]);
    if (!(spacing[0] > 0 && spacing[1] > 0)) spacing[0] = spacing[1] = 0;
}

void describe(DcmDataset &data, const Header &h, dicom_image &image) {
    double centre, width;
    image.width = h.columns;
    image.height = h.rows;
    image.channels = h.samples;
    image.slices = h.frames;
    image.bits = h.stored;
    image.is_signed = h.is_signed;
    image.scaled = h.lookup || h.slope != 1 || h.intercept != 0;
    image.lossy = !is_lossless(h.syntax);
    image.inverted = h.colours == "MONOCHROME1";
    image.window[0] = image.window[1] = 0;
    image.spacing_mm[0] = image.spacing_mm[1] = 0;
    if (real(data, DCM_WindowCenter, 0, centre) && real(data, DCM_WindowWidth, 0, width) && width > 0) {
        image.window[0] = centre - width / 2;
        image.window[1] = centre + width / 2;
    }
    read_spacing(data, image.spacing_mm);
}

/* ---- samples --------------------------------------------------------------------------------------------------- */

DcmPixelData &pixel_data(DcmDataset &data) {
    DcmElement *element = NULL;
    require(data.findAndGetElement(DCM_PixelData, element).good() && element, "it holds no pixels");
    DcmPixelData *pixels = dynamic_cast<DcmPixelData *>(element);
    require(pixels != NULL, "it holds no pixels");
    return *pixels;
}

/* Bytes of a frame as decoded, in the byte order of the host. */
std::vector<Uint8> read_frame(DcmDataset &data, Header &h, int frame) {
    DcmPixelData &pixels = pixel_data(data);
    const bool halved = h.colours == "YBR_FULL_422" && !DcmXfer(h.syntax).isEncapsulated();
    const size_t samples = (size_t)h.rows * h.columns * (halved ? 2 : h.samples), bytes = samples * (h.allocated / 8);
    if (!DcmXfer(h.syntax).isEncapsulated())
        require(pixels.getLength() >= bytes * h.frames, "it has fewer pixels than it declares");
    std::vector<Uint8> out(bytes + 2);
    Uint32 fragment = 0;
    OFString model;
    require(pixels.getUncompressedFrame(&data, (Uint32)frame, fragment, out.data(), (Uint32)(bytes + bytes % 2), model)
                .good(),
            DcmXfer(h.syntax).isEncapsulated() ? "its compressed pixels cannot be decoded" : "the file ends early");
    if (DcmXfer(h.syntax).isEncapsulated()) {
        h.colours = model;
        h.planar = h.planar && h.syntax == EXS_RLELossless; /* the other decoders interleave colours */
    }
    return out;
}

/* One bit a pixel: frames follow one another without gaps, from the lowest bit on. */
std::vector<Uint8> read_bits(DcmDataset &data, const Header &h, int frame) {
    const size_t pixels = (size_t)h.rows * h.columns, first = pixels * frame;
    Uint8 *bytes = NULL;
    require(!DcmXfer(h.syntax).isEncapsulated(), "its single bits are compressed");
    DcmPixelData &all = pixel_data(data);
    require(all.getLength() >= (pixels * h.frames + 7) / 8, "it has fewer pixels than it declares");
    require(all.getUint8Array(bytes).good() && bytes, "the file ends early");
    std::vector<Uint8> out(pixels);
    for (size_t i = 0; i < pixels; ++i) out[i] = bytes[(first + i) / 8] >> (first + i) % 8 & 1;
    return out;
}

/* Stored bits of a sample. */
long long sample_at(const Header &h, const std::vector<Uint8> &bytes, size_t i) {
    Uint32 v = 0;
    if (h.allocated <= 8) {
        v = bytes[i];
    } else if (h.allocated == 16) {
        Uint16 word;
        std::memcpy(&word, &bytes[2 * i], 2);
        v = word;
    } else {
        std::memcpy(&v, &bytes[4 * i], 4);
        if (h.syntax == EXS_BigEndianExplicit) v = v << 16 | v >> 16; /* DCMTK swaps the bytes of words only */
    }
    v = v >> (h.high + 1 - h.stored);
    if (h.stored < 32) v &= ((Uint32)1 << h.stored) - 1;
    if (h.is_signed && v >> (h.stored - 1)) return (long long)v - ((long long)1 << h.stored);
    return v;
}

Uint8 clamp(double v) {
    return v <= 0 ? 0 : v >= 255 ? 255 : (Uint8)std::lround(v);
}

/* Colours of pixel i as RGB. */
void colours_at(const Header &h, const std::vector<Uint8> &bytes, size_t i, double rgb[3]) {
    const size_t pixels = (size_t)h.rows * h.columns;
    if (h.colours == "YBR_FULL_422" && !DcmXfer(h.syntax).isEncapsulated()) {
        const size_t pair = i / 2 * 4;
        rgb[0] = bytes[pair + i % 2];
        rgb[1] = bytes[pair + 2];
        rgb[2] = bytes[pair + 3];
    } else {
        for (size_t c = 0; c < 3; ++c) rgb[c] = (double)sample_at(h, bytes, h.planar ? c * pixels + i : 3 * i + c);
    }
    if (h.colours == "RGB") return;
    require((h.colours == "YBR_FULL" || h.colours == "YBR_FULL_422") && h.allocated == 8,
            "its colours have no usual encoding");
    const double y = rgb[0], b = rgb[1] - 128, r = rgb[2] - 128;
    rgb[0] = clamp(y + 1.402 * r);
    rgb[1] = clamp(y - 0.114 * 1.772 / 0.587 * b - 0.299 * 1.402 / 0.587 * r);
    rgb[2] = clamp(y + 1.772 * b);
}

struct Lookup {
    int first;
    std::vector<Uint16> entries;
    size_t index(long long value) const {
        long long i = value - first;
        return i < 0 ? 0 : i >= (long long)entries.size() ? entries.size() - 1 : (size_t)i;
    }
};

Lookup read_lookup(DcmItem &item, const DcmTagKey &descriptor, const DcmTagKey &table, bool is_signed, int *bits) {
    Uint16 count = 0, first = 0, depth = 0;
    const Uint16 *words = NULL;
    unsigned long length = 0;
    require(item.findAndGetUint16(descriptor, count, 0).good() && item.findAndGetUint16(descriptor, first, 1).good() &&
                item.findAndGetUint16(descriptor, depth, 2).good() &&
                item.findAndGetUint16Array(table, words, &length).good() && words,
            "its lookup table is missing");
    const size_t entries = count ? count : 65536;
    Lookup lookup;
    lookup.first = is_signed ? (Sint16)first : first;
    if (depth <= 8 && length < entries) { /* two entries a word */
        require(2 * (size_t)length >= entries, "its lookup table is too short");
        for (size_t i = 0; i < entries; ++i) lookup.entries.push_back(words[i / 2] >> 8 * (i % 2) & 255);
    } else {
        require(length >= entries, "its lookup table is too short");
        lookup.entries.assign(words, words + entries);
    }
    *bits = depth;
    return lookup;
}

void *allocate(size_t count, size_t size) {
    void *memory = std::calloc(count, size);
    require(memory != NULL, "memory is too small");
    return memory;
}

void store_palette(DcmDataset &data, const Header &h, const std::vector<Uint8> &bytes, dicom_image &image) {
    const DcmTagKey tags[3][2] = {{DCM_RedPaletteColorLookupTableDescriptor, DCM_RedPaletteColorLookupTableData},
                                  {DCM_GreenPaletteColorLookupTableDescriptor, DCM_GreenPaletteColorLookupTableData},
                                  {DCM_BluePaletteColorLookupTableDescriptor, DCM_BluePaletteColorLookupTableData}};
    const size_t pixels = (size_t)h.rows * h.columns;
    Lookup lookup[3];
    int bits[3];
    for (int c = 0; c < 3; ++c) lookup[c] = read_lookup(data, tags[c][0], tags[c][1], h.is_signed, &bits[c]);
    Uint8 *rgb = (Uint8 *)allocate(pixels, 3);
    image.value = rgb;
    image.sample = dicom_image::DICOM_BYTES;
    image.channels = 3;
    for (size_t i = 0; i < 3 * pixels; ++i) {
        const Lookup &l = lookup[i % 3];
        rgb[i] = (Uint8)(l.entries[l.index(sample_at(h, bytes, i / 3))] >> (bits[i % 3] > 8 ? 8 : 0));
    }
}

void store_colours(const Header &h, const std::vector<Uint8> &bytes, dicom_image &image) {
    const size_t pixels = (size_t)h.rows * h.columns;
    image.value = allocate(3 * pixels, h.allocated / 8);
    image.sample = h.allocated == 8 ? dicom_image::DICOM_BYTES : dicom_image::DICOM_WORDS;
    for (size_t i = 0; i < pixels; ++i) {
        double rgb[3];
        colours_at(h, bytes, i, rgb);
        for (size_t c = 0; c < 3; ++c)
            if (h.allocated == 8)
                ((Uint8 *)image.value)[3 * i + c] = (Uint8)rgb[c];
            else
                ((Uint16 *)image.value)[3 * i + c] = (Uint16)rgb[c];
    }
}

void store_grey(const Header &h, const std::vector<Uint8> &bytes, bool shown, dicom_image &image) {
    const size_t pixels = (size_t)h.rows * h.columns;
    const bool floats = image.scaled || h.is_signed || h.allocated > 16;
    int bits;
    Lookup lookup;
    if (h.lookup) lookup = read_lookup(*h.lookup, DCM_LUTDescriptor, DCM_LUTData, h.is_signed, &bits);
    image.sample = floats              ? dicom_image::DICOM_FLOATS
                   : h.allocated == 16 ? dicom_image::DICOM_WORDS
                                       : dicom_image::DICOM_BYTES;
    image.value = allocate(pixels, floats ? 4 : h.allocated == 16 ? 2 : 1);
    for (size_t i = 0; i < pixels; ++i) {
        const long long v = sample_at(h, bytes, i);
        if (floats)
            ((float *)image.value)[i] =
                h.lookup ? (float)lookup.entries[lookup.index(v)] : (float)((double)v * h.slope + h.intercept);
        else if (h.allocated == 16)
            ((Uint16 *)image.value)[i] = (Uint16)v;
        else
            ((Uint8 *)image.value)[i] = (Uint8)(h.allocated == 1 && shown ? 255 * v : v);
    }
}

void read(const char *path, int slice, bool shown, bool header_only, dicom_image &image) {
    DcmFileFormat file;
    start_library();
    load(file, path);
    DcmDataset &data = *file.getDataset();
    Header h = read_header(data);
    describe(data, h, image);
    if (h.palette && shown) image.channels = 3;
    if (header_only) return;
    require(slice < h.frames, "it changed while it was read");
    const std::vector<Uint8> bytes = h.allocated == 1 ? read_bits(data, h, slice) : read_frame(data, h, slice);
    if (h.palette && shown)
        store_palette(data, h, bytes, image);
    else if (h.samples == 3)
        store_colours(h, bytes, image);
    else
        store_grey(h, bytes, shown, image);
}

const char *guarded(const char *path, int slice, bool shown, bool header_only, dicom_image *image) {
    const char *fault = NULL;
    image->value = NULL;
    try {
        read(path, slice, shown, header_only, *image);
    } catch (const Fault &f) {
        fault = f.text;
    } catch (const std::bad_alloc &) {
        fault = "memory is too small";
    } catch (...) {
        fault = "it cannot be parsed";
    }
    if (fault) {
        std::free(image->value);
        image->value = NULL;
    }
    return fault;
}

} // namespace

const char *dicom_describe(const char *path, dicom_image *image) {
    return guarded(path, 0, true, true, image);
}

const char *dicom_read(const char *path, int slice, bool shown, dicom_image *image) {
    return guarded(path, slice, shown, false, image);
}

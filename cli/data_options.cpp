#include <charconv>

#include "commands.h"
#include "error.h"
#include "usage.h"

namespace vigor {

namespace {

// "HxW" or one number for both.
std::array<int64_t, 2> parse_size(const std::string& text, const char* option) {
  std::array<int64_t, 2> size{};
  const char* at = text.data();
  const char* end = at + text.size();
  for (size_t i = 0; i < 2; ++i) {
    const auto [next, error] = std::from_chars(at, end, size[i]);
    if (error != std::errc() || size[i] < 1) fail(option, "got '{}', expected HxW", text);
    at = next;
    if (i == 0 && at == end) return {size[0], size[0]};
    if (i == 0 && (at == end || *at++ != 'x')) fail(option, "got '{}', expected HxW", text);
  }
  if (at != end) fail(option, "got '{}', expected HxW", text);
  return size;
}

struct Given {
  DataOptions options;
  std::string crop, resize, scale, mean, std;
  std::string layout = "nchw";
  std::string channels = "rgb";
};

constexpr const char* kGroup = "Data";

}  // namespace

std::function<DataOptions()> add_data_options(CLI::App& command, bool required) {
  auto given = std::make_shared<Given>();
  const std::string group = kGroup;
  command
      .add_option("--data", given->options.spec,
                  "idx:IMAGES[,LABELS] | mnist:DIR | fashion-mnist[:DIR] | cifar10:PATH | "
                  "cifar100:PATH | npz:FILE | npy:FILE | images:DIR")
      ->required(required)
      ->group(group);
  command.add_option("--split", given->options.split, "test or train")
      ->capture_default_str()
      ->check(CLI::IsMember({"test", "train"}))
      ->group(group);
  command.add_option("--crop", given->crop, "Centre crop to HxW")->group(group);
  command.add_option("--resize", given->resize, "Bilinear, to HxW")->group(group);
  command.add_option("--pad", given->options.preprocessing.pad, "Zero pixels on every side")
      ->transform(at_least(0))
      ->group(group);
  command.add_option("--scale", given->scale, "Factor of every pixel, e.g. 1/255")->group(group);
  command
      .add_option("--mean", given->mean, "Subtracted after scaling: one number or one a channel")
      ->group(group);
  command.add_option("--std", given->std, "Divided by after that: likewise")->group(group);
  command.add_option("--channels", given->channels, "rgb or bgr")
      ->capture_default_str()
      ->check(CLI::IsMember({"rgb", "bgr"}))
      ->group(group);
  command.add_option("--layout", given->layout, "What the network wants: nchw or nhwc")
      ->capture_default_str()
      ->check(CLI::IsMember({"nchw", "nhwc"}))
      ->group(group);
  command
      .add_option("--label-offset", given->options.label_offset,
                  "Added to every label (networks with a background class)")
      ->transform(whole_number(std::numeric_limits<int64_t>::min(), "a whole number"))
      ->group(group);
  command
      .add_option("--class-names", given->options.class_names_file, "Text file, one name a line")
      ->group(group);
  return [given] {
    DataOptions options = given->options;
    Preprocessing& p = options.preprocessing;
    if (!given->crop.empty()) p.crop = parse_size(given->crop, "--crop");
    if (!given->resize.empty()) p.resize = parse_size(given->resize, "--resize");
    if (!given->scale.empty()) p.scale = parse_fraction(given->scale, "--scale");
    if (!given->mean.empty()) p.mean = parse_numbers(given->mean, "--mean");
    if (!given->std.empty()) p.std = parse_numbers(given->std, "--std");
    p.channels = given->channels == "bgr" ? Channels::bgr : Channels::rgb;
    p.layout = given->layout == "nhwc" ? Layout::nhwc : Layout::nchw;
    return options;
  };
}

std::vector<std::filesystem::path> files_of(const DataOptions& options) {
  std::vector<std::filesystem::path> files;
  const std::string& spec = options.spec;
  for (size_t at = spec.find(':'); at < spec.size();) {
    const size_t end = std::min(spec.find(',', at + 1), spec.size());
    files.emplace_back(spec.substr(at + 1, end - at - 1));
    at = end;
  }
  files.emplace_back(options.class_names_file);
  std::erase_if(files, [](const auto& file) { return file.empty(); });
  return files;
}

std::vector<std::string> data_arguments(const CLI::App& command) {
  std::vector<std::string> arguments;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_group() != kGroup || option->count() == 0) continue;
    arguments.push_back("--" + option->get_lnames().front() + "=" + option->results().back());
  }
  return arguments;
}

std::optional<DataOptions> moved_data(const CLI::App& command,
                                      const std::function<DataOptions()>& data) {
  if (command.count("--data") > 0) return checked_usage(data);
  if (!data_arguments(command).empty()) throw CLI::RequiredError("--data");
  return std::nullopt;
}

DataOptions parse_data_arguments(const std::vector<std::string>& arguments) {
  CLI::App app;
  app.set_help_flag();
  const auto data = add_data_options(app);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    fail("data", "{}", error.what());
  }
  return data();
}

}  // namespace vigor

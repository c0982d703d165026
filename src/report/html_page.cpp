#include "report/html_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/result.h"
#include "report/embedded.h"
#include "report/html_text.h"

namespace fovea {
namespace {

std::string_view file(std::string_view name) {
  const auto all = embedded_report_files();
  const auto at = std::find_if(all.begin(), all.end(), [&](const EmbeddedFile& f) { return f.name == name; });
  FOVEA_CHECK(at != all.end());
  return at->content;
}

std::string policy(std::string_view style, const std::vector<std::string_view>& scripts) {
  std::string allowed;
  for (const std::string_view script : scripts) allowed += (allowed.empty() ? "script-src " : " ") + csp_hash(script);
  if (!allowed.empty()) allowed += "; ";
  return fmt::format(
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; {}style-src {}; img-src data:; "
      "base-uri 'none'; form-action 'none'\">\n",
      allowed, csp_hash(style));
}

}  // namespace

std::string render_page(const HtmlPage& page) {
  std::string style(file("web/report.css"));
  for (const std::string_view name : page.styles) style.append(file(name));
  std::vector<std::string_view> scripts;
  for (const std::string_view name : page.scripts) scripts.push_back(file(name));
  const std::string title = escape_html(page.title);
  std::string out = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n" + policy(style, scripts);
  out +=
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" "
      "content=\"light dark\">\n";
  out += fmt::format("<title>{}</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>", title);
  out.append(style).append("</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the figures</a>\n");
  out += fmt::format("<header><div><h1>{}</h1>\n{}</div>{}</header>\n<main id=\"main\" tabindex=\"-1\">\n", title,
                     page.byline, page.controls);
  out += page.main;
  out += fmt::format(
      "</main>\n<footer><p>Made by Fovea. Nothing on this page is loaded from elsewhere.{}{}</p></footer>\n",
      page.footer.empty() ? "" : " ", escape_html(page.footer));
  out += page.after_main;
  for (const std::string_view script : scripts) out.append("<script>").append(script).append("</script>\n");
  return out + "</body>\n</html>\n";
}

}  // namespace fovea

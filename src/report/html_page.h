// html_page: the frame that every page has: one file with everything in it, a Content-Security-Policy that allows that
// and nothing else, a heading, and a way past it for keyboards.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fovea {

// Everything is HTML already, but for the title and the footer.
struct HtmlPage {
  std::string title;
  std::string byline;                     // below the heading
  std::string controls;                   // beside it
  std::string main;                       // the sections
  std::string footer;                     // one paragraph; that nothing is loaded is said anyway
  std::string after_main;                 // data and licences of the scripts
  std::vector<std::string_view> styles;   // file names of report/web beside report.css
  std::vector<std::string_view> scripts;  // file names of what is embedded, in the order in which they run
};

std::string render_page(const HtmlPage& page);

}  // namespace fovea

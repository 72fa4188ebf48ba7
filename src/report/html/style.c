/* style: style sheet with light and dark colours by the reader's preference, and black on white for print. The layout
 * follows the window width; wider content scrolls in its own box. */
#include "src/report/html/sections.h"

static const char *const rules[] = {
    ":root{color-scheme:light dark;--paper:#fff;--ink:#1c1e21;--faint:#5c6268;--rule:#d9dce0;--soft:#f5f6f7;"
    "--link:#0b57a4;--c0:#0072b2;--c1:#b87f00;--c2:#1c1e21;--c3:#3a9bd6;--c4:#c85200;--c5:#00835f;--c6:#b4588f}",
    "@media(prefers-color-scheme:dark){:root{--paper:#16181b;--ink:#e6e8ea;--faint:#a3a9b0;--rule:#3a3f45;"
    "--soft:#1e2125;--link:#7db8f0;--c0:#4ea6e0;--c1:#e6a52b;--c2:#e6e8ea;--c3:#8fcdf5;--c4:#f08a4b;--c5:#3cc79c;"
    "--c6:#e39ac4}}",
    "*{box-sizing:border-box}",
    "html{-webkit-text-size-adjust:100%;text-size-adjust:100%}",
    "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,"
    "'DejaVu Sans',sans-serif}",
    "header,nav,main,footer{max-width:1440px;margin:0 auto;padding:0 24px}",
    "header{padding-top:40px}",
    "h1{font-size:1.9rem;line-height:1.2;margin:0 0 4px;overflow-wrap:anywhere}",
    "h2{font-size:1.25rem;margin:0 0 14px;padding-top:18px;border-top:1px solid var(--rule)}",
    "section:first-child h2{border-top:0;padding-top:0}",
    "h3{font-size:1rem;margin:20px 0 8px}",
    "header p,footer p{color:var(--faint);margin:0}",
    "section{margin:0 0 36px;scroll-margin-top:56px}",
    "nav{position:sticky;top:0;z-index:1;max-width:none;margin:18px 0 22px;background:var(--paper);"
    "border-bottom:1px solid var(--rule)}",
    "nav ul{display:flex;gap:4px 20px;max-width:1392px;margin:0 auto;padding:10px 0;list-style:none;overflow-x:auto;"
    "white-space:nowrap}",
    "a{color:var(--link);text-decoration:none}",
    "a:hover{text-decoration:underline}",
    ":focus-visible{outline:3px solid var(--link);outline-offset:2px}",
    ".skip{position:absolute;left:-999px;top:0;padding:8px 14px;background:var(--paper);z-index:2}",
    ".skip:focus{left:8px}",
    "figure{margin:0 0 24px}",
    "figcaption{color:var(--faint);font-size:.9rem;max-width:80ch;margin-bottom:10px}",
    ".scroll{overflow-x:auto;max-width:100%}",
    "table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}",
    "th,td{padding:7px 12px 7px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule)}",
    "thead th{font-weight:600;vertical-align:bottom;border-bottom:2px solid var(--faint);white-space:nowrap}",
    "tbody th{font-weight:600}",
    "tbody th,.value{overflow-wrap:anywhere;min-width:6em;max-width:26em}",
    ".number{text-align:right;white-space:nowrap;padding-left:6px}",
    "thead .group{text-align:center;border-bottom:1px solid var(--rule);padding-left:24px}",
    "abbr{text-decoration:none;color:var(--faint)}",
    ".unit,.interval,.file{display:block;color:var(--faint);font-size:.75rem;font-weight:400}",
    ".file{overflow-wrap:anywhere}",
    ".set{white-space:nowrap}",
    ".none{color:var(--faint)}",
    ".legend{display:flex;flex-wrap:wrap;gap:4px 24px;margin:0 0 12px;padding:0;list-style:none;font-size:.9rem}",
    ".legend li{display:flex;align-items:center;gap:8px;overflow-wrap:anywhere}",
    ".sample{width:44px;height:14px;flex:none}",
    ".charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,360px),1fr));gap:20px 28px}",
    ".lone{grid-template-columns:minmax(0,460px)}",
    "svg{display:block;width:100%;height:auto;overflow:visible}",
    "svg text{font-size:12px;fill:var(--ink)}",
    "svg .heading{font-size:14px;font-weight:600}",
    "svg .label{fill:var(--faint)}",
    "svg .middle{text-anchor:middle}",
    "svg .end{text-anchor:end}",
    ".grid{stroke:var(--rule);stroke-width:1}",
    ".axis{fill:none;stroke:var(--faint);stroke-width:1}",
    ".line{fill:none;stroke:currentColor;stroke-width:2;stroke-linejoin:round}",
    "svg .interval{fill:none;stroke:currentColor}",
    ".mark{fill:currentColor;stroke:var(--paper);stroke-width:1.2;paint-order:stroke}",
    ".s0{color:var(--c0)}.s1{color:var(--c1)}.s2{color:var(--c2)}.s3{color:var(--c3)}.s4{color:var(--c4)}"
    ".s5{color:var(--c5)}.s6{color:var(--c6)}",
    ".pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,520px),1fr));gap:20px}",
    ".pictures figure{margin:0}",
    ".pictures figcaption{margin:6px 0 0}",
    "img{display:block;max-width:100%;height:auto}",
    "details{margin:0 0 18px}",
    "summary{cursor:pointer;color:var(--link);padding:4px 0;width:fit-content}",
    "details[open]>summary{margin-bottom:10px}",
    "pre{background:var(--soft);padding:14px 16px;overflow-x:auto;font-size:.82rem;line-height:1.45}",
    "code{font-size:.92em}",
    "footer{border-top:1px solid var(--rule);padding:16px 24px 40px;font-size:.9rem}",
    "@media(max-width:600px){header,nav,main,footer{padding-left:16px;padding-right:16px}header{padding-top:24px}"
    "h1{font-size:1.5rem}}",
    "@media print{:root{color-scheme:light;--paper:#fff;--ink:#000;--faint:#333;--rule:#bbb;--soft:#fff;--link:#000;"
    "--c0:#005a8d;--c1:#a87300;--c2:#000;--c3:#3a8fc4;--c4:#a84400;--c5:#006b4e;--c6:#96427a}"
    "nav,.skip{display:none}body{font-size:10pt}header,main,footer{max-width:none;padding:0}"
    ".scroll{overflow:visible}svg,tr,figure.table,.pictures figure{break-inside:avoid}"
    "h2,h3,figcaption,.legend{break-after:avoid}header{margin-bottom:14pt}"
    "figcaption,.legend{font-size:8.5pt}"
    "table{font-size:7.5pt}th,td{padding:3px 6px 3px 0}.unit,.interval,.file{font-size:6pt}"
    ".number{padding-left:2px}td.number{white-space:normal}tbody th,.value{min-width:0;overflow-wrap:break-word}"
    ".charts{grid-template-columns:1fr 1fr 1fr;gap:10px}.lone{grid-template-columns:50%}}",
};

void page_style_add(struct paced_text *out) {
    for (size_t i = 0; i < PACED_COUNT(rules); ++i) paced_text_add(out, "%s\n", rules[i]);
}

// SPDX-License-Identifier: MIT
/// \file
/// How the HTML report looks: light or dark, on paper and on phones.
#pragma once

#include <string_view>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN
namespace evaluate::detail {

inline constexpr std::string_view html_style = R"css(
:root{--ink:#1b2430;--soft:#566173;--line:#d7dde5;--page:#fff;--card:#f6f8fa;--real:#2f6db3;--made:#d9780f;
--green:#1f7a43;--amber:#a86200;--red:#b3261e;--greenbg:#e3f3e8;--amberbg:#fdf0d9;--redbg:#fbe4e2;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa6b6;--line:#344052;--page:#12171e;--card:#1a212b;
--real:#6ea8e8;--made:#f2a14a;--green:#6fcf97;--amber:#f0b45a;--red:#ff8a80;--greenbg:#16301f;--amberbg:#3a2b10;--redbg:#3d1a18}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1120px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 4px}h2{font-size:1.3rem;margin:44px 0 6px;padding-top:14px;border-top:2px solid var(--line)}
h3{font-size:1rem;margin:0 0 6px}p{margin:6px 0 12px;max-width:75ch}.sub,.note{color:var(--soft)}.note{font-size:.9rem}
.warn{background:var(--amberbg);color:var(--amber);padding:8px 12px;border-radius:6px}
.cards{display:grid;grid-template-columns:repeat(3,1fr);gap:14px;margin:18px 0}
.card{border-radius:10px;padding:14px 16px;background:var(--card);border:1px solid var(--line);border-left:6px solid var(--line)}
.card p{margin:4px 0 0;font-size:.92rem}.card h3{display:flex;justify-content:space-between;align-items:baseline;font-size:1.1rem}
.green{border-left-color:var(--green)}.amber{border-left-color:var(--amber)}.red{border-left-color:var(--red)}
.tag{display:inline-block;white-space:nowrap;border-radius:99px;padding:1px 10px;font-size:.82rem;font-weight:600}
.tag.green{background:var(--greenbg);color:var(--green)}.tag.amber{background:var(--amberbg);color:var(--amber)}
.tag.red{background:var(--redbg);color:var(--red)}.tag.none{color:var(--soft);font-weight:400;padding:0}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.93rem}
th{text-align:left;font-weight:600;color:var(--soft);font-size:.82rem;vertical-align:bottom}
th,td{padding:6px 10px 6px 0;border-bottom:1px solid var(--line);vertical-align:top}
td.n,th.n{text-align:right;padding-left:14px;font-variant-numeric:tabular-nums;white-space:nowrap}
td .note{display:block;font-size:.82rem;line-height:1.35}tr.section td{font-weight:700;padding-top:18px;border-bottom:2px solid var(--line)}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(320px,1fr));gap:14px}
.two{display:grid;grid-template-columns:1fr 1fr;gap:20px;align-items:start}.three{display:grid;grid-template-columns:repeat(3,1fr);gap:14px}
figure{margin:0;border:1px solid var(--line);border-radius:10px;padding:12px 12px 8px;background:var(--card);break-inside:avoid}
figcaption{font-weight:600;font-size:.95rem;display:flex;justify-content:space-between;gap:8px;overflow-wrap:anywhere}
figcaption span{color:var(--soft);font-weight:400;font-size:.82rem;white-space:nowrap}
svg{display:block;width:100%;height:auto;margin-top:6px}svg text{fill:var(--soft);font:11px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}
svg .ink{fill:var(--ink)}.r{fill:var(--real)}.s{fill:var(--made)}.lr{stroke:var(--real);fill:none;stroke-width:2}
.ls{stroke:var(--made);fill:none;stroke-width:2}.axis{stroke:var(--line);stroke-width:1}.zero{stroke:var(--soft);stroke-dasharray:4 4;fill:none}
.lg{stroke:var(--green);fill:none;stroke-width:2}.g{fill:var(--green)}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:.9rem;color:var(--soft);margin:4px 0 12px}
.legend i{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:6px;vertical-align:-1px}
.sign{display:grid;grid-template-columns:2fr 1fr 1fr;gap:24px;margin-top:36px}.sign div{border-top:1px solid var(--ink);padding-top:4px;font-size:.85rem;color:var(--soft)}
.checks{list-style:none;padding:0;margin:8px 0 0}.checks li{padding:3px 0 3px 26px;position:relative}.checks li::before{content:"";position:absolute;left:2px;top:8px;width:12px;height:12px;border:1.5px solid var(--soft);border-radius:2px}
@media (max-width:760px){table{font-size:.85rem}.cards,.two,.three,.sign{grid-template-columns:1fr}main{padding:18px 14px 40px}h1{font-size:1.5rem}
.grid{grid-template-columns:1fr}
table.stack thead{display:none}table.stack tr{display:grid;grid-template-columns:1fr auto;gap:2px 12px;padding:8px 0;border-bottom:1px solid var(--line)}
table.stack td{border:0;padding:0}table.stack td.n{text-align:left}table.stack td.n::before{content:attr(data-l) " ";color:var(--soft);font-size:.82rem}
table.stack td.w{grid-column:1/-1}table.stack tr.section{display:block}}
@media print{:root{--ink:#000;--soft:#444;--line:#bbb;--page:#fff;--card:#fff;--real:#2f6db3;--made:#d9780f;--green:#1f7a43;--amber:#a86200;--red:#b3261e;
--greenbg:#e3f3e8;--amberbg:#fdf0d9;--redbg:#fbe4e2}body{font-size:11px;-webkit-print-color-adjust:exact;print-color-adjust:exact}
main{max-width:none;padding:0}h2{break-after:avoid;margin-top:24px}.card,figure,tr{break-inside:avoid}.grid{grid-template-columns:repeat(3,1fr)}.cards{grid-template-columns:repeat(3,1fr)}}
)css";

} // namespace evaluate::detail
ROWSMITH_END

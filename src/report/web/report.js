// Draws the charts of a report page from its data block, and lets the reader choose the theme. No network, no storage but
// the theme's name.
'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const root = document.documentElement;
  let charts = [];

  // Colours are custom properties that depend on the theme; the browser resolves one when it is the colour of an element.
  const probe = document.createElement('span');
  probe.hidden = true;
  document.body.append(probe);
  const colour = (name, alpha = 1) => {
    probe.style.color = `var(--${name})`;
    const resolved = getComputedStyle(probe).color;
    return alpha === 1 ? resolved : resolved.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);
  };

  const text = new Intl.NumberFormat('en', {maximumSignificantDigits: 4});
  const show = (value) => text.format(value);
  const narrow = () => window.innerWidth < 640;
  const short = (name, length) => name.length > length ? '…' + name.slice(1 - length) : name;

  const axis = (title, more = {}) => ({
    title: {display: true, text: title, color: colour('soft')},
    grid: {color: colour('grid'), borderColor: colour('line')},
    ...more,
    ticks: {color: colour('soft'), maxRotation: 0, autoSkipPadding: 12, callback: (v) => show(v), ...more.ticks},
  });
  const linear = (title, more) => axis(title, {type: 'linear', ...more});
  const decades = (title, more = {}) => axis(title, {
    type: 'logarithmic',
    ...more,
    ticks: {autoSkip: false, callback: (v) => (narrow() ? /^1e/ : /^[125]e/).test(v.toExponential()) ? show(v) : '', ...more.ticks},
  });
  const options = (x, y, more = {}) => ({
    animation: false,
    maintainAspectRatio: false,
    scales: {x, y},
    ...more,
    plugins: {legend: {display: false}, ...more.plugins},
  });
  const legend = (more = {}) => ({
    display: true, position: 'top', align: 'start',
    labels: {color: colour('text'), usePointStyle: true, boxHeight: 6, padding: 14, ...more},
  });
  const label = (make) => ({callbacks: {title: () => '', label: (item) => make(item.raw, item)}});

  const makers = {
    histogram(run) {
      const h = run.histogram;
      const bars = h.counts.map((count, i) => ({x: h.low + (i + 0.5) * h.width, y: count}));
      const edge = (x, side) => show(x + side * h.width / 2);
      return {
        type: 'bar',
        data: {datasets: [{data: bars, backgroundColor: colour('series-1', .8), barPercentage: 1, categoryPercentage: .96}]},
        options: options(
          linear('latency, ms', {min: h.low, max: h.low + h.counts.length * h.width, offset: false, grid: {display: false}}),
          linear('runs', {beginAtZero: true, ticks: {precision: 0}}),
          {plugins: {tooltip: label((p) => `${edge(p.x, -1)} – ${edge(p.x, 1)} ms: ${show(p.y)} runs`)}}),
      };
    },
    cdf(run) {
      return {
        type: 'line',
        data: {datasets: [{data: run.cdf, borderColor: colour('series-1'), borderWidth: 2, pointRadius: 0, pointHitRadius: 8,
          stepped: run.histogram ? 'before' : false}]},
        options: options(linear('latency, ms'), linear('runs, %', {min: 0, max: 100}),
          {plugins: {tooltip: label((p) => `${show(p.y)} % within ${show(p.x)} ms`)}}),
      };
    },
    roofline(run) {
      const roofs = run.roofs;
      const points = run.layers;
      const xs = points.map((p) => p.x);
      const ridge = roofs.memory > 0 ? roofs.compute / roofs.memory : 1;
      const low = Math.min(ridge / 4, ...xs) / 2;
      const high = Math.max(ridge * 4, ...xs) * 2;
      const ys = points.map((p) => p.y);
      const roof = (name, rate, dash) => ({
        type: 'line', label: name, borderColor: colour('soft'), borderWidth: 1.5, borderDash: dash, pointRadius: 0, pointStyle: 'line',
        data: [low, roofs.compute / rate, high].filter((x) => x >= low && x <= high)
          .map((x) => ({x, y: Math.min(roofs.compute, x * rate), roof: name})),
      });
      const sets = [];
      if (roofs.compute > 0 && roofs.memory > 0) sets.push(roof(`memory ${show(roofs.memory)} GB/s`, roofs.memory, []));
      if (roofs.compute > 0 && roofs.l2 > 0) sets.push(roof(`L2 ${show(roofs.l2)} GB/s`, roofs.l2, [5, 4]));
      const kinds = [['compute', 'series-1', 'circle'], ['L2', 'series-3', 'rectRot'], ['DRAM', 'series-2', 'triangle']];
      for (const [bound, name, shape] of kinds) {
        const own = points.filter((p) => p.bound === bound);
        if (own.length) {
          sets.push({type: 'scatter', label: `bound by ${bound}`, data: own, pointStyle: shape, pointRadius: 5, pointHoverRadius: 7,
            backgroundColor: colour(name, .75), borderColor: colour('card'), borderWidth: 1});
        }
      }
      return {
        type: 'scatter',
        data: {datasets: sets},
        options: options(
          decades('multiply-accumulates a byte', {min: low, max: high}),
          decades('GMAC/s', {min: Math.min(...ys, roofs.compute || 1) / 2, max: Math.max(...ys, roofs.compute || 1) * 1.6}),
          {plugins: {legend: legend(), tooltip: label((p) => p.roof ? `roof: ${p.roof}`
            : `${short(p.name, 40)} (${p.op}): ${show(p.y)} GMAC/s, ${show(p.percent)} % of its roof, ${show(p.ms)} ms`)}}),
      };
    },
    bars(run) {
      const length = narrow() ? 16 : 36;
      const tone = {compute: 'series-1', L2: 'series-3', DRAM: 'series-2'};
      return {
        type: 'bar',
        data: {
          labels: run.bars.map((b) => short(b.name, length)),
          datasets: [{data: run.bars.map((b) => b.ms), backgroundColor: run.bars.map((b) => colour(tone[b.bound] || 'series-4', .8)),
            barPercentage: .85, categoryPercentage: .9}],
        },
        options: {
          ...options(linear('ms', {beginAtZero: true}), {grid: {display: false}, ticks: {color: colour('text'), autoSkip: false}}),
          indexAxis: 'y',
          plugins: {legend: {display: false}, tooltip: label((value, item) => {
            const bar = run.bars[item.dataIndex];
            return `${bar.name} (${bar.op}): ${show(value)} ms, bound by ${bar.bound}`;
          })},
        },
      };
    },
    batch: () => lines('batch', 'batch size', (p) => `${p.precision}, ${p.instances} × ${p.cores} cores`),
    instances: () => lines('instances', 'instances (each with its best batch size)', (p) => `${p.precision}, ${p.cores} cores each`),
  };

  function lines(key, title, group) {
    const groups = new Map();
    for (const p of data.points) {
      const name = group(p);
      if (!groups.has(name)) groups.set(name, []);
      // Of several runs at one place the best counts: the line stays a function.
      const same = groups.get(name).find((q) => q.x === p[key]);
      if (same) same.y = Math.max(same.y, p.rate);
      else groups.get(name).push({x: p[key], y: p.rate, name});
    }
    const shapes = ['circle', 'triangle', 'rect', 'rectRot', 'star'];
    const sets = [...groups].map(([name, points], i) => ({
      label: name, data: points.sort((a, b) => a.x - b.x), borderColor: colour(`series-${i % 4 + 1}`), borderWidth: 2,
      backgroundColor: colour(`series-${i % 4 + 1}`), pointStyle: shapes[i % shapes.length], pointRadius: 4,
    }));
    const values = [...new Set(data.points.map((p) => p[key]))];
    const wide = Math.max(...values) / Math.min(...values) > 8;
    return {
      type: 'line',
      data: {datasets: sets},
      options: options(wide ? decades(title) : linear(title, {ticks: {precision: 0}}), linear('images/s', {beginAtZero: true}),
        {plugins: {legend: legend(), tooltip: label((p) => `${p.name}: ${show(p.y)} images/s`)}}),
    };
  }

  function draw() {
    charts.forEach((chart) => chart.destroy());
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    Chart.defaults.font.size = 12;
    charts = [...document.querySelectorAll('canvas[data-chart]')].map((canvas) =>
      new Chart(canvas, makers[canvas.dataset.chart](data.runs[canvas.dataset.run])));
  }

  const choice = document.getElementById('theme');
  const use = (theme) => {
    if (theme === 'auto') delete root.dataset.theme;
    else root.dataset.theme = theme;
    draw();
  };
  const remembered = () => {
    try { return localStorage.getItem('fovea-theme'); } catch { return null; }  // a file: page may have no storage
  };
  choice.value = ['light', 'dark'].includes(remembered()) ? remembered() : 'auto';
  choice.addEventListener('change', () => {
    try { localStorage.setItem('fovea-theme', choice.value); } catch { /* not remembered then */ }
    use(choice.value);
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  // Canvases are pixels by the time of printing: draw them for white paper first.
  addEventListener('beforeprint', () => use('light'));
  addEventListener('afterprint', () => use(choice.value));
  use(choice.value);
})();

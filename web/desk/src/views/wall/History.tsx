// How many waited: a chart, and the same as a table.
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { theme } from '../../state/look';
import { samples } from '../../state/wall';
import { language, localeOf, t } from '../../words';

const HEIGHT = 180;
const ROWS = 30;
const LEAST_S = 300;
const LABEL_PX = 100;

const colour = (name: string): string => {
  // light-dark() is resolved where it is used, so a node has to use it.
  const node = document.createElement('span');
  node.style.color = `var(${name})`;
  document.body.append(node);
  const value = getComputedStyle(node).color;
  node.remove();
  return value;
};

const clock = (at: number): string =>
  new Date(at * 1000).toLocaleTimeString(localeOf(language.value), { hour: '2-digit', minute: '2-digit', second: '2-digit' });

// Of the samples themselves: for a single one uPlot would show a whole day.
const span = (): [number, number] => {
  const last = samples.value.at(-1)?.at ?? Date.now() / 1000;
  return [Math.min(samples.value[0]?.at ?? last, last - LEAST_S), last];
};

function options(width: number): uPlot.Options {
  const axis = { stroke: colour('--quiet'), grid: { stroke: colour('--line'), width: 1 } };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { range: span }, y: { range: (_, __, most) => [0, Math.max(4, most)] } },
    axes: [{ ...axis, space: LABEL_PX, values: (_, splits) => splits.map(clock) }, { ...axis, incrs: [1, 2, 5, 10, 20, 50, 100] }],
    series: [{}, { stroke: colour('--accent'), width: 2, fill: `color-mix(in srgb, ${colour('--accent')} 15%, transparent)` }],
  };
}

const dataOf = (): uPlot.AlignedData => [samples.value.map((one) => one.at), samples.value.map((one) => one.waiting)];

function Chart() {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data = dataOf();
  useEffect(() => {
    const node = box.current!;
    plot.current = new uPlot(options(node.clientWidth), dataOf(), node);
    const watcher = new ResizeObserver(() => plot.current?.setSize({ width: node.clientWidth, height: HEIGHT }));
    watcher.observe(node);
    return () => {
      watcher.disconnect();
      plot.current?.destroy();
    };
  }, [theme.value, language.value]);
  useEffect(() => plot.current?.setData(data), [data.length, samples.value]);
  return <div ref={box} class="chart" role="img" aria-label={t('wall_history')} />;
}

function Table() {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{t('time')}</th>
          <th scope="col">{t('wall_waiting')}</th>
        </tr>
      </thead>
      <tbody>
        {samples.value
          .slice(-ROWS)
          .toReversed()
          .map((one) => (
            <tr key={one.at}>
              <td>{new Date(one.at * 1000).toLocaleTimeString(localeOf(language.value))}</td>
              <td>{one.waiting}</td>
            </tr>
          ))}
      </tbody>
    </table>
  );
}

export function History() {
  const [isTable, setTable] = useState(false);
  return (
    <section aria-labelledby="history-title">
      <div class="row spread">
        <h2 id="history-title">{t('wall_history')}</h2>
        <button type="button" class="plain" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          {t(isTable ? 'as_chart' : 'as_table')}
        </button>
      </div>
      {isTable ? <Table /> : <Chart />}
    </section>
  );
}

import { useState } from 'preact/hooks';
import { customer, plain, saveCustomer } from '../../state/customer';
import { closeDialog } from '../../state/dialogs';
import { t } from '../../words';
import { Frame } from './Frame';

interface Row {
  name: string;
  value: string;
  isNew: boolean;
}

/** Name, tier and attributes. An attribute without a value goes. */
export function PersonForm() {
  const [known] = useState(customer.value!);
  const [name, setName] = useState(known.name);
  const [tier, setTier] = useState(known.tier ?? '');
  const [rows, setRows] = useState<Row[]>(() => Object.entries(known.attributes).map(([one, { value }]) => ({ name: one, value: plain(value), isNew: false })));
  const put = (index: number, row: Row) => setRows(rows.map((one, place) => (place === index ? row : one)));
  const does = () => {
    closeDialog();
    saveCustomer(known, { name: name.trim(), tier: tier.trim(), attributes: Object.fromEntries(rows.filter((one) => one.name.trim()).map((one) => [one.name.trim(), one.value.trim()])) });
  };
  return (
    <Frame title="customer_edit" does="save" onDo={does}>
      <label>
        {t('name')}
        <input maxLength={200} value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <label>
        {t('tier')}
        <input maxLength={40} value={tier} onInput={(event) => setTier(event.currentTarget.value)} />
      </label>
      <fieldset class="inner">
        <legend>{t('attributes')}</legend>
        {rows.map((row, index) => (
          <div key={index} class="row pair">
            <input aria-label={`${t('attribute')} ${index + 1}`} maxLength={60} readOnly={!row.isNew} value={row.name} onInput={(event) => put(index, { ...row, name: event.currentTarget.value })} />
            <input aria-label={`${t('value')} ${index + 1}`} maxLength={4000} value={row.value} onInput={(event) => put(index, { ...row, value: event.currentTarget.value })} />
          </div>
        ))}
        <button type="button" class="small" onClick={() => setRows([...rows, { name: '', value: '', isNew: true }])}>+ {t('attribute')}</button>
        <p class="quiet">{t('attribute_help')}</p>
      </fieldset>
    </Frame>
  );
}

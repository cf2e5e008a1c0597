import { useState } from 'preact/hooks';
import { addCustomerNote, customer } from '../../state/customer';
import { t } from '../../words';
import { Dealings } from './Dealings';
import { Merges } from './Merges';
import { Person } from './Person';
import { Timeline } from './Timeline';

function NoteForm() {
  const [text, setText] = useState('');
  return (
    <form
      id="about-form"
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        addCustomerNote(text, setText);
        setText('');
      }}
    >
      <input id="about" maxLength={10000} aria-label={t('note_about')} placeholder={t('note_short')} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      <button>{t('add')}</button>
    </form>
  );
}

export function CustomerPane() {
  const known = customer.value;
  return (
    <aside id="customer" class="pane" aria-labelledby="customer-title">
      <h2 id="customer-title">{t('customer')}</h2>
      <dl id="facts">
        {known && <Person known={known} />}
        {known && <Dealings known={known} />}
      </dl>
      {known && <NoteForm key={`note ${known.id}`} />}
      {known && <Merges key={`merges ${known.id}`} of={known} />}
      {known && <Timeline key={known.id} id={known.id} />}
    </aside>
  );
}

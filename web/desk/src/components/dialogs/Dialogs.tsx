import { dialog } from '../../state/dialogs';
import { Account } from './Account';
import { Escalate, Hand } from './Hand';
import { DismissForm, MergeForm, RevertForm, SplitForm } from './Identity';
import { Keys } from './Keys';
import { PersonForm } from './PersonForm';
import { Picture } from './Picture';
import { Resolve } from './Resolve';
import { Snooze } from './Snooze';
import { Why } from './Why';

export function Dialogs() {
  const shown = dialog.value;
  switch (shown?.name) {
    case 'transfer':
    case 'consult':
      return <Hand key={shown.name} verb={shown.name} />;
    case 'escalate':
      return <Escalate />;
    case 'snooze':
      return <Snooze />;
    case 'resolve':
      return <Resolve />;
    case 'why':
      return <Why />;
    case 'account':
      return <Account />;
    case 'keys':
      return <Keys />;
    case 'merge':
      return <MergeForm into={shown.into} other={shown.other} />;
    case 'split':
      return <SplitForm of={shown.of} identifier={shown.identifier} />;
    case 'revert':
      return <RevertForm of={shown.of} merge={shown.merge} />;
    case 'dismiss':
      return <DismissForm of={shown.of} other={shown.other} />;
    case 'picture':
      return <Picture address={shown.address} title={shown.title} />;
    case 'person':
      return <PersonForm />;
    default:
      return null;
  }
}

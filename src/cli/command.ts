/** A command as data: what it is called and takes, in Commander's words, and what it does. */
import { Command, Option } from 'commander';

interface CommandSpec<Given> {
  readonly name: string;
  readonly about: string;
  readonly argument?: readonly [name: string, about?: string];
  readonly secondArgument?: readonly [name: string, about?: string];
  readonly options?: readonly (Option | readonly [flags: string, about?: string])[];
  /** What --help says below the options: notes, examples. */
  readonly help: string;
  /** `given`: the arguments and the options, by their names. */
  run(given: Given): Promise<void>;
}

export type MakeCommand = () => Command;

export function command<Given>(spec: CommandSpec<Given>): MakeCommand {
  const { name, about, options = [], help, run } = spec;
  return () => {
    const made = new Command(name).description(about).addHelpText('after', `\n${help.trim()}\n`);
    for (const argument of [spec.argument, spec.secondArgument])
      if (argument !== undefined) made.argument(...argument);
    for (const option of options) made.addOption(option instanceof Option ? option : new Option(...option));
    const names = made.registeredArguments.map((argument) => argument.name());
    // Commander calls with the arguments, then the options, then the command.
    return made.action((...typed) =>
      run({ ...typed.at(-2), ...Object.fromEntries(names.map((each, place) => [each, typed[place]])) }),
    );
  };
}

/** Commands below a word: `portico account ...`. */
export function group(name: string, about: string, commands: readonly MakeCommand[]): MakeCommand {
  return () => {
    const made = new Command(name).description(about);
    for (const make of commands) made.addCommand(make());
    return made;
  };
}

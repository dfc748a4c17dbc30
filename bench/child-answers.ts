/** Answers of a forked process, one a question: a wait ends with the process, or after a while. */
import type { ChildProcess } from 'node:child_process';

/** The next message. @throws when the process ends before, or after `timeoutMs`, when it is ended */
export async function nextMessage<T>(child: ChildProcess, timeoutMs: number): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const settle = (outcome: () => void): void => {
      clearTimeout(timer);
      child.off('message', onMessage).off('exit', onExit).off('error', onError);
      outcome();
    };
    const onMessage = (message: unknown): void => settle(() => resolve(message as T));
    const onError = (error: Error): void => settle(() => reject(error));
    const onExit = (code: number | null, signal: string | null): void =>
      settle(() =>
        reject(new Error(`the process ended with ${code ?? signal ?? 'nothing'} before it answered`)),
      );
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      settle(() => reject(new Error(`no answer within ${timeoutMs} ms`)));
    }, timeoutMs);
    child.once('message', onMessage).once('exit', onExit).once('error', onError);
  });
}

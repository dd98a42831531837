// A streaming interface in another language: JSON lines in, JSON lines out.
import { createInterface } from "node:readline";

for await (const line of createInterface({ input: process.stdin })) {
  const { id, base_url, request } = JSON.parse(line);
  const body = JSON.stringify({ ...request, stream: true });
  const response = await fetch(`${base_url}/v1/chat/completions`, { method: "POST", body });
  const chunks = (await response.text())
    .split("\n")
    .filter((row) => row.startsWith("data: {"))
    .map((row) => JSON.parse(row.slice("data: ".length)).choices?.[0]?.delta?.content)
    .filter(Boolean)
    .map((text) => ({ kind: "text", text }));
  const text = chunks.map((chunk) => chunk.text).join("");
  const stop = { kind: "stop_reason", finish: "stop" };
  const outcome = {
    chunks: [...chunks, stop],
    content: [{ kind: "text", text }],
    finish: "stop",
    ending: "complete",
  };
  console.log(JSON.stringify({ id, outcome }));
}

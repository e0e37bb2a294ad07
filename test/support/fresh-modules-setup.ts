/**
 * Runs first for each test file in workerd. Files share an isolate, and none may find what another has left in it: a
 * module's memory, such as an open circuit, or a mock. Modules are evaluated again; their code is not fetched again, which
 * is what takes long.
 */
import { vi } from "vitest";

vi.useRealTimers();
vi.restoreAllMocks();
vi.unstubAllGlobals();
vi.resetModules();

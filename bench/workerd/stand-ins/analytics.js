/** The Analytics Engine binding, as a module of the runtime: it takes data points and returns at once, as on the platform. */
export default () => ({ writeDataPoint() {} });
